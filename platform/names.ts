import { names as denoNames } from "./deno/names.ts";
import { names as nodeNames } from "./node/names.ts";
import { isDeno } from "./runtime.ts";
import type { HostNames } from "./types/names.ts";

/** Names and addresses. */
export const hostNames: HostNames = isDeno ? denoNames : nodeNames;

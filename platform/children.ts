import { children as denoChildren } from "./deno/children.ts";
import { children as nodeChildren } from "./node/children.ts";
import { isDeno } from "./runtime.ts";
import type { HostChildren } from "./types/children.ts";

/** Child processes. */
export const hostChildren: HostChildren = isDeno ? denoChildren : nodeChildren;

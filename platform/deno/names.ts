import { namesOf } from "../shared/names.ts";
import type { HostNames } from "../types/names.ts";
import { mapError } from "./errors.ts";

/** Names and addresses on Deno. */
export const names: HostNames = namesOf(mapError);

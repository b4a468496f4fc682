import { PROGRAMS } from "../limits.ts";
import type { HostChildren } from "../types/children.ts";
import { refuses } from "./refusals.ts";

/** Programs, which workerd does not start. */
export const children: HostChildren = {
  spawn: refuses(PROGRAMS, "start a program"),
  shell: refuses(PROGRAMS, "start a shell"),
};

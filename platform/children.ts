import { children as denoChildren } from "./deno/children.ts";
import { children as nodeChildren } from "./node/children.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostChildren } from "./types/children.ts";
import { children as workerdChildren } from "./workerd/children.ts";

/** Child processes. */
export const hostChildren: HostChildren = isDeno
  ? denoChildren
  : isWorkerd
  ? workerdChildren
  : nodeChildren;

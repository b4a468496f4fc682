import { files as denoFiles } from "./deno/files.ts";
import { files as nodeFiles } from "./node/files.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostFiles } from "./types/files.ts";
import { files as workerdFiles } from "./workerd/files.ts";

/** Files that are read. */
export const hostFiles: HostFiles = isDeno
  ? denoFiles
  : isWorkerd
  ? workerdFiles
  : nodeFiles;

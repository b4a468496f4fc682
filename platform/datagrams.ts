import { datagrams as denoDatagrams } from "./deno/datagrams.ts";
import { datagrams as nodeDatagrams } from "./node/datagrams.ts";
import { isDeno } from "./runtime.ts";
import type { HostDatagrams } from "./types/datagrams.ts";

/** UDP. */
export const hostDatagrams: HostDatagrams = isDeno
  ? denoDatagrams
  : nodeDatagrams;

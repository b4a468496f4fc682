import { net as denoNet } from "./deno/net.ts";
import { net as nodeNet } from "./node/net.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostNet } from "./types/net.ts";
import { net as workerdNet } from "./workerd/net.ts";

/** Sockets: TCP, Unix and TLS. */
export const hostNet: HostNet = isDeno
  ? denoNet
  : isWorkerd
  ? workerdNet
  : nodeNet;

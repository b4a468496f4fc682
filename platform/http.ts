import { http as denoHttp } from "./deno/http.ts";
import { http as nodeHttp } from "./node/http.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import type { HostHttp } from "./types/http.ts";
import { http as workerdHttp } from "./workerd/http.ts";

/** HTTP servers. */
export const hostHttp: HostHttp = isDeno
  ? denoHttp
  : isWorkerd
  ? workerdHttp
  : nodeHttp;

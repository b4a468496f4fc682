import { isWorkerd } from "./runtime.ts";
import { http as nodeHttp } from "./shared/http.ts";
import type { HostHttp } from "./types/http.ts";
import { http as workerdHttp } from "./workerd/http.ts";

/** HTTP servers. */
export const hostHttp: HostHttp = isWorkerd ? workerdHttp : nodeHttp;

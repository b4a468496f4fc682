import { SOCKETS } from "../limits.ts";
import type { HostHttp } from "../types/http.ts";
import { rejects } from "./refusals.ts";

/** HTTP servers, which workerd has by its configuration alone. */
export const http: HostHttp = { serve: rejects(SOCKETS, "listen") };

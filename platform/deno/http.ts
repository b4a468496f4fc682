import { http as shared } from "../shared/http.ts";
import type { HostHttp } from "../types/http.ts";
import { mapError } from "./errors.ts";

/** HTTP servers on Deno. */
export const http: HostHttp = {
  serve(options, answer) {
    const { hostname, port, action } = options;
    const name = hostname.includes(":") ? `[${hostname}]` : hostname;
    const host = `${name}:${port}`;
    // Its node:http throws the refusal in a tick, where nobody can catch it.
    const { state } = Deno.permissions.requestSync({ name: "net", host });
    if (state === "granted") return shared.serve(options, answer);
    const refusal = new Deno.errors.NotCapable(
      `Requires net access to "${host}", run again with the --allow-net flag`,
    );
    return Promise.reject(mapError(refusal, action));
  },
};

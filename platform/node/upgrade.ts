/** TLS on a connection that is there, in use or not. */
import type { HostClientTls, HostConnection, HostTls } from "../types/net.ts";
import { shakeHands } from "./tls_connection.ts";
import { tlsContext } from "./tls_context.ts";

/** Shakes hands over `connection`, as the client or as the server. */
export async function upgrade(
  connection: HostConnection,
  tls: HostClientTls | HostTls,
  received: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<HostConnection> {
  let context;
  try {
    context = tlsContext(tls);
  } catch (error) {
    connection.abort();
    throw error;
  }
  return await shakeHands({ ...context, connection, received }, signal);
}

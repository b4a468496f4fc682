import { type DatagramHost, openDatagram } from "../shared/datagrams.ts";
import type { HostDatagrams } from "../types/datagrams.ts";
import { mapError } from "./errors.ts";
import { bindOnceFree, leaves } from "./leaving.ts";

const host: DatagramHost = { mapError, isInOrder: true, onClosed: leaves };

/** UDP on Deno. */
export const datagrams: HostDatagrams = {
  open: (binding) => bindOnceFree(() => openDatagram(binding, host)),
};

import { type DatagramHost, openDatagram } from "../shared/datagrams.ts";
import type { HostDatagrams } from "../types/datagrams.ts";
import { mapError } from "./errors.ts";

const host: DatagramHost = { mapError, isInOrder: false };

/** UDP on Node. */
export const datagrams: HostDatagrams = {
  open: (binding) => openDatagram(binding, host),
};

/** Picks the adapter of the runtime this code is running on. */
import { denoPlatform } from "./deno/mod.ts";
import { nodePlatform } from "./node/mod.ts";
import type { Platform } from "./types.ts";

/** The host. */
export const platform: Platform = "Deno" in globalThis
  ? denoPlatform
  : nodePlatform;

export type {
  AsyncPlace,
  AsyncStorage,
  HostHandle,
  HostProcess,
  HostSignals,
  HostTimers,
  Platform,
  SignalName,
} from "./types.ts";
export type {
  Address,
  HostBinding,
  HostClientTls,
  HostConnection,
  HostDatagram,
  HostDatagramReceiver,
  HostFile,
  HostListener,
  HostLookup,
  HostNet,
  HostReceiver,
  HostSocketOptions,
  HostTarget,
  HostTls,
  NetAddress,
  PeerCertificate,
  UnixAddress,
} from "./net_types.ts";
export type {
  HostChild,
  HostChildren,
  HostCommand,
  HostStdio,
} from "./spawn_types.ts";
export type {
  HostResourceLimits,
  HostWorker,
  HostWorkerListener,
  HostWorkers,
} from "./worker_types.ts";
export type {
  HostPrefork,
  HostSeat,
  HostSupervisor,
  HostWorkerCommand,
  HostWorkerProcess,
} from "./prefork_types.ts";

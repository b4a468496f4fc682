/** Picks the adapter of the runtime this code is running on. */
import { denoPlatform } from "./deno/mod.ts";
import { nodePlatform } from "./node/mod.ts";
import type { Platform } from "./types/host.ts";

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
} from "./types/host.ts";
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
} from "./types/net.ts";
export type {
  HostChild,
  HostChildren,
  HostCommand,
  HostStdio,
} from "./types/children.ts";
export type {
  HostResourceLimits,
  HostWorker,
  HostWorkerListener,
  HostWorkers,
} from "./types/threads.ts";
export type {
  HostPrefork,
  HostSeat,
  HostSupervisor,
  HostWorkerCommand,
  HostWorkerProcess,
} from "./types/worker_processes.ts";

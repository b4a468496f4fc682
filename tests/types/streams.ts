/** What `getExtraInfo` gives, by name. */
import type {
  Address,
  PeerCertificate,
  StreamWriter,
  Transport,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

declare const writer: StreamWriter;
declare const transport: Transport;

const certificate = writer.getExtraInfo("peercert");
expectType<Equal<typeof certificate, PeerCertificate | null>>();
const peer = transport.getExtraInfo("peername");
expectType<Equal<typeof peer, Address | null>>();
const protocol = writer.getExtraInfo("alpnProtocol", "http/1.1");
expectType<Equal<typeof protocol, string>>();
const other = writer.getExtraInfo("something");
expectType<Equal<typeof other, unknown>>();

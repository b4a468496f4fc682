import {
  createConnection,
  createDatagramEndpoint,
  createServer,
  type DatagramAddress,
  DatagramProtocol,
  newEventLoop,
  Protocol,
  run,
  sleep,
  subprocessExec,
  SubprocessProtocol,
  SystemExit,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { bytes, LOCAL } from "../_support/net.ts";

function leave(): never {
  throw new SystemExit(3);
}

async function ofServer(): Promise<void> {
  const server = await createServer(leave, LOCAL);
  try {
    const [transport] = await createConnection(() => new Protocol(), {
      ...LOCAL,
      port: server.port,
    });
    try {
      await sleep(Infinity);
    } finally {
      transport.abort();
    }
  } finally {
    server.close();
    await server.waitClosed();
  }
}

async function ofDatagrams(): Promise<void> {
  class Leaving extends DatagramProtocol {
    override datagramReceived = leave;
  }
  const [receiver] = await createDatagramEndpoint(() => new Leaving(), {
    localAddr: LOCAL,
  });
  const [sender] = await createDatagramEndpoint(() => new DatagramProtocol(), {
    remoteAddr: receiver.getExtraInfo("sockname") as DatagramAddress,
  });
  sender.sendTo(bytes("leave"));
  try {
    await sleep(Infinity);
  } finally {
    sender.close();
    receiver.close();
  }
}

async function ofChild(): Promise<void> {
  class Leaving extends SubprocessProtocol {
    override processExited = leave;
  }
  await subprocessExec(() => new Leaving(), "true");
  await sleep(Infinity);
}

for (
  const [where, main] of [
    ["the protocol factory of a server", ofServer],
    ["a datagram protocol", ofDatagrams],
    ["a subprocess protocol", ofChild],
  ] as const
) {
  Deno.test(`U11 SystemExit from ${where} ends the run with its code`, async () => {
    const loop = newEventLoop();
    const reports: string[] = [];
    loop.setExceptionHandler(({ message }) => void reports.push(message));
    const error = await assertRejects(() => run(main, { loop }), SystemExit);
    assertEquals(error.code, 3);
    assertEquals(reports, []);
  });
}

// node: skip what is tested is built into Deno
// The example with Deno's own exporter, and a collector in this process.
import { assert, assertEquals } from "@std/assert";
import { runProgram } from "./_support/programs.ts";

interface SentSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly links?: readonly { readonly spanId: string }[];
}

interface Sent {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly { readonly name: string }[];
    }[];
  }[];
}

/** The status of a span that has failed, as OTLP has it. */
const ERROR = 2;

Deno.test("Deno's own exporter sends a span for each task and group, with its links and status", async () => {
  const spans: SentSpan[] = [];
  const metrics = new Set<string>();
  await using collector = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const sent: Sent = await request.json();
    for (const { scopeSpans } of sent.resourceSpans ?? []) {
      spans.push(...scopeSpans.flatMap((each) => each.spans));
    }
    for (const { scopeMetrics } of sent.resourceMetrics ?? []) {
      for (const each of scopeMetrics) {
        for (const { name } of each.metrics) metrics.add(name);
      }
    }
    return Response.json({});
  });
  const { code, stdout, stderr } = await runProgram(
    "../../examples/opentelemetry",
    {
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      },
    },
  );
  assertEquals([code, stdout], [0, ""], stderr);

  const named = (name: string) => spans.find((span) => span.name === name)!;
  const names = ["page", "writer", "fetchers", "slow", "broken", "Task-1"];
  assertEquals(
    names.map((name) => {
      const { parentSpanId, status } = named(name);
      const parent = spans.find(({ spanId }) => spanId === parentSpanId);
      return [name, parent?.name, status.code === ERROR];
    }),
    [
      ["page", "Task-1", true],
      ["writer", "Task-1", false],
      ["fetchers", "page", true],
      ["slow", "fetchers", true],
      ["broken", "fetchers", true],
      ["Task-1", undefined, false],
    ],
  );
  assertEquals(named("broken").status.message, "failed: no route");
  assertEquals(named("slow").status.message?.slice(0, 10), "cancelled:");
  const links = (name: string) =>
    named(name).links?.map(({ spanId }) =>
      spans.find((span) => span.spanId === spanId)?.name
    );
  assertEquals(links("writer"), ["page"]);
  assertEquals(links("page")?.toSorted(), ["broken", "slow"]);
  // Gauges are asked once a minute, and not at the end of a program.
  assert(metrics.has("asyncio.loop.lag"));
});

import { assertEquals } from "@std/assert";
import { showSpan } from "../../_internal/show_span.ts";

Deno.test("a span is told in its two largest units", () => {
  const spans = [0.4, 999, 1000, 59_990, 60_000, 3_599_000, 7_500_000];
  assertEquals(spans.map(showSpan), [
    "0 ms",
    "999 ms",
    "1 s",
    "59.9 s",
    "1 min 0 s",
    "59 min 59 s",
    "2 h 5 min",
  ]);
});

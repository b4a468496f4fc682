import { assertEquals } from "@std/assert";
import { SessionWatch } from "../../durable/_session_watch.ts";

const seen = (beat: number) => [{ session: 1, beat, leaseMs: 90 }];

Deno.test("a session that stands still for a lease is dead", () => {
  const watch = new SessionWatch(30);
  const looks = [0, 30, 60, 90].map((now) => watch.look(seen(0), now).length);
  assertEquals(looks, [0, 0, 0, 1]);
});

Deno.test("a session that counts on is not", () => {
  const watch = new SessionWatch(30);
  const looks = [0, 30, 60, 90, 120, 150].map((now) =>
    watch.look(seen(Math.floor(now / 60)), now).length
  );
  assertEquals(looks, [0, 0, 0, 0, 0, 0]);
});

Deno.test("a machine that stood still, or a clock that jumped, ends no lease", () => {
  const watch = new SessionWatch(30);
  const looks = [0, 1e9, 1e9 + 30].map((now) =>
    watch.look(seen(0), now).length
  );
  assertEquals(looks, [0, 0, 0]);
});

// When a connection whose peer sends without end lets the others have a turn.
import { assertEquals } from "@std/assert";
import { Turns } from "../../platform/deno/turns.ts";

const READ = 65_536;

/** Reads until a turn is due; gives how many bytes. */
function readToTurn(turns: Turns): number {
  let bytes = READ;
  while (!turns.isDue(READ)) bytes += READ;
  turns.taken();
  return bytes;
}

Deno.test("a connection takes a turn after each 64 KiB, and after 1 MiB once it has long been alone", () => {
  const turns = new Turns();
  for (let turn = 0; turn < 512; turn++) assertEquals(readToTurn(turns), READ);
  assertEquals(readToTurn(turns), 16 * READ);
  assertEquals(readToTurn(turns), 16 * READ);
});

Deno.test("a connection that was alone takes its turn after 64 KiB as soon as another has read a byte", () => {
  const turns = new Turns();
  const other = new Turns();
  for (let turn = 0; turn < 513; turn++) readToTurn(turns);
  assertEquals(readToTurn(turns), 16 * READ);
  turns.isDue(READ);
  other.isDue(1);
  // What was granted before is still granted.
  for (let read = 1; read < 15; read++) assertEquals(turns.isDue(READ), false);
  assertEquals(turns.isDue(READ), true);
  turns.taken();
  for (let turn = 0; turn < 512; turn++) assertEquals(readToTurn(turns), READ);
  assertEquals(readToTurn(turns), 16 * READ);
});

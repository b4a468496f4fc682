// node: skip reads the documentation, which is the same for every runtime
import { assert, assertEquals } from "@std/assert";
import { codeSpans, exportedNames } from "./_support/exported_names.ts";

const ROOT = new URL("../", import.meta.url);

/** A row of the lists: what Python calls it, what we do, and a remark. */
interface Row {
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
  readonly note: string;
}

/** Every public name of asyncio, members with their class: `Task.cancel`. */
async function asyncioNames(): Promise<string[]> {
  const data: { names: Record<string, string[]> } = JSON.parse(
    await Deno.readTextFile(new URL("data/asyncio_3_14.json", import.meta.url)),
  );
  return Object.entries(data.names).flatMap(([owner, names]) =>
    owner === "asyncio" ? names : names.map((name) => `${owner}.${name}`)
  );
}

/** The rows of the tables below "Every name", up to "Beside asyncio". */
async function rows(): Promise<Row[]> {
  const page = await Deno.readTextFile(new URL("docs/from-python.md", ROOT));
  const [, lists] = page.match(
    /^## Every name of asyncio 3\.14\n([^]*?)^### Beside asyncio\n/m,
  ) ?? [];
  assert(lists !== undefined, "the page has its lists");
  return lists.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .map(([theirs = "", ours = "", note = ""]) => ({
      theirs: codeSpans(theirs),
      ours: codeSpans(ours),
      note,
    }));
}

/** `loop.call_soon` as we would spell it: `loop.callSoon`. */
function camelCase(name: string): string {
  return name.replace(
    /(?<=[a-z])_([a-z])/g,
    (_, letter) => letter.toUpperCase(),
  );
}

Deno.test("from-python.md lists every name of asyncio once, and no other", async () => {
  const listed = (await rows()).flatMap(({ theirs }) => theirs);
  assertEquals(listed.toSorted(), (await asyncioNames()).toSorted());
});

Deno.test("from-python.md maps names to what is exported", async () => {
  const exported = await exportedNames();
  const missing: string[] = [];
  for (const { theirs, ours } of await rows()) {
    if (ours.length > 1) assertEquals(ours.length, theirs.length, `${theirs}`);
    missing.push(...ours.filter((name) => !exported.has(name)));
  }
  assertEquals(missing, []);
});

Deno.test("from-python.md gives a reason where a name has no counterpart", async () => {
  const exported = await exportedNames();
  for (const { theirs, ours, note } of await rows()) {
    if (ours.length > 0) continue;
    assert(note.length > 0, `${theirs.join()} has neither name nor reason`);
    assertEquals(
      theirs.map(camelCase).filter((name) => exported.has(name)),
      [],
    );
  }
});

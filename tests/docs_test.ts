// node: skip reads the documentation, which is the same for every runtime
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

const PAGES = ["README.md", "docs/architecture.md", "docs/cancellation.md"];

async function* filesBelow(folder: URL): AsyncIterable<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

/** The numbers of statements that tests carry in their names. */
async function testedNumbers(): Promise<Set<string>> {
  const numbers = new Set<string>();
  for await (const url of filesBelow(new URL("tests/", ROOT))) {
    if (!url.pathname.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(url);
    for (const [names] of text.matchAll(/["`](?:[A-Z]\d+\b[ ,]*)+/g)) {
      for (const [number] of names.matchAll(/[A-Z]\d+/g)) numbers.add(number);
    }
  }
  return numbers;
}

Deno.test("documentation names statements that tests hold", async () => {
  const tested = await testedNumbers();
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    const prose = text.replace(/^```[^]*?^```/gm, "");
    const named = [...prose.matchAll(/\b[A-Z]\d{1,2}\b/g)].map(([name]) =>
      name
    );
    assertEquals(named.filter((name) => !tested.has(name)), [], page);
  }
});

Deno.test("documentation links to what is there", async () => {
  for (const page of PAGES) {
    const url = new URL(page, ROOT);
    const text = await Deno.readTextFile(url);
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^\w+:/.test(target)) continue;
      const found = await Deno.stat(new URL(target, url)).catch(() => null);
      assert(found !== null, `${page} links to ${target}`);
    }
  }
});

Deno.test("documentation names files that are there", async () => {
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    for (const [, path = ""] of text.matchAll(/`((?:\w+\/)+\w+\.ts)`/g)) {
      const found = await Deno.stat(new URL(path, ROOT)).catch(() => null);
      assert(found !== null, `${page} names ${path}`);
    }
  }
});

// node: skip drives a browser, from Deno
/** What `deno task site` has built, in a browser. */
import { assert, assertEquals, assertMatch } from "../_support/std_assert.ts";
import { type Browser, chromium, type Page } from "playwright-core";
import { contrastOf } from "../page/contrast.ts";

/** Where Debian has it; the tests are left out where there is none. */
const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

const ROOT = new URL("../../", import.meta.url);
const SITE = new URL("site/", ROOT);

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

let browser: Browser;
let server: Deno.HttpServer<Deno.NetAddr>;

function isThere(path: string | URL): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Answers a request with a file of the site, as a server of static pages does. */
async function serve({ url }: Request): Promise<Response> {
  const { pathname } = new URL(url);
  const path = decodeURIComponent(pathname.slice(1)).replace(
    /\/$|^$/,
    "$&index.html",
  );
  const file = [path, `${path}.html`].find((each) =>
    isThere(new URL(each, SITE))
  );
  if (file === undefined) return new Response("not found", { status: 404 });
  const type = TYPES[file.slice(file.lastIndexOf(".") + 1)];
  return new Response(await Deno.readFile(new URL(file, SITE)), {
    headers: type ? { "content-type": type } : {},
  });
}

Deno.test.beforeAll(async () => {
  if (!isThere(EXECUTABLE)) return;
  server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, serve);
  browser = await chromium.launch({
    executablePath: EXECUTABLE,
    // In a container there is nothing to make a sandbox of; the pages are ours.
    args: ["--no-sandbox"],
  });
});

Deno.test.afterAll(async () => {
  if (!isThere(EXECUTABLE)) return;
  await browser.close();
  await server.shutdown();
});

interface Visit {
  readonly page: Page;
  /** Goes to a page of the site; its scripts have run. */
  open(path: string): Promise<void>;
  /** Goes to a page of the site, as it is without scripts. */
  look(path: string): Promise<void>;
}

interface Screen {
  readonly width: number;
  readonly colorScheme: "light" | "dark";
}

/** Runs `body` with a browser in which nothing may go wrong. */
function visit(
  name: string,
  body: (visit: Visit) => Promise<void>,
  { width, colorScheme }: Screen = { width: 1280, colorScheme: "light" },
): void {
  Deno.test({
    name,
    ignore: !isThere(EXECUTABLE),
    // The browser and the server are there for all tests.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
      });
      const { port } = server.addr;
      const origin = `http://127.0.0.1:${port}`;
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      const wrong: string[] = [];
      page.on("pageerror", (error) => wrong.push(String(error)));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) {
          wrong.push(message.text());
        }
      });
      page.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol !== "data:" && url.origin !== origin) {
          wrong.push(`It asked ${url}`);
        }
      });
      const go = async (path: string, waitUntil: "load" | "networkidle") => {
        const response = await page.goto(`${origin}/${path}`, { waitUntil });
        assertEquals(response?.status(), 200, path);
      };
      await body({
        page,
        open: (path) => go(path, "networkidle"),
        look: (path) => go(path, "load"),
      });
      assertEquals(wrong, []);
      await context.close();
    },
  });
}

/** One page of each kind. */
const KINDS = [
  "",
  "docs/",
  "docs/cancellation",
  "docs/errors",
  "api/",
  "api/tasks/",
  "api/tasks/function/gather",
  "api/loop/class/Task",
  "examples/crawler",
  "CHANGELOG",
];

for (const width of [1280, 390]) {
  for (const colorScheme of ["light", "dark"] as const) {
    visit(
      `pages fit ${width} pixels and can be read in ${colorScheme}`,
      async ({ page, look }) => {
        for (const path of KINDS) {
          await look(path);
          const wider = await page.evaluate(() =>
            document.documentElement.scrollWidth - innerWidth
          );
          assert(wider <= 0, `${path} is ${wider} pixels too wide`);
          const paragraph = page.locator(".vp-doc :is(p, li)").first();
          const contrast = await paragraph.evaluate(contrastOf);
          assert(contrast >= 4.5, `${path}: ${contrast}`);
        }
      },
      { width, colorScheme },
    );
  }
}

/** Looks for words and gives the address of the first that is found. */
async function search(page: Page, words: string): Promise<string> {
  await page.keyboard.press("Control+k");
  const box = page.getByRole("searchbox").or(page.locator("#localsearch-input"))
    .first();
  await box.fill(words);
  await page.locator("#localsearch-list .result").first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator("#localsearch-list").waitFor({ state: "detached" });
  return new URL(page.url()).pathname;
}

for (
  const [words, path] of [
    ["moveOnAfter", "/api/tasks/function/moveOnAfter.html"],
    ["openChannel", "/api/queue/function/openChannel.html"],
    ["CancelledError", "/api/errors/class/CancelledError.html"],
  ] as const
) {
  visit(
    `a search for ${words} finds its page first`,
    async ({ page, open }) => {
      await open("");
      assertEquals(await search(page, words), path);
    },
  );
}

visit("a search finds what guides tell", async ({ page, open }) => {
  await open("");
  assertMatch(await search(page, "back-pressure limits"), /^\/docs\//);
});

visit("code is coloured and can be copied", async ({ page, open }) => {
  await open("api/sync/class/Lock");
  const block = page.locator(".vp-doc div.language-ts").first();
  assert(await block.locator("span[style*='--shiki']").count() > 3);
  await block.hover();
  await block.locator("button.copy").click();
  assertEquals(
    (await page.evaluate(() => navigator.clipboard.readText())).trim(),
    `import { Lock } from "@asyncio/asyncio/sync";`,
  );
});

visit(
  "every page of docs/ is in the list beside it",
  async ({ page, open }) => {
    await open("docs/");
    const links = await page.locator(".VPSidebar a").evaluateAll((all) =>
      all.map((each) => new URL((each as HTMLAnchorElement).href).pathname)
    );
    const missing: string[] = [];
    for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
      if (!name.endsWith(".md") || name === "README.md") continue;
      const path = `/docs/${name.replace(/\.md$/, ".html")}`;
      if (!links.includes(path)) missing.push(path);
    }
    assertEquals(missing, []);
  },
);

visit(
  "the list beside a page, and the link of a type, lead on",
  async ({ page, open }) => {
    await open("api/sync/class/Lock");
    await page.locator(".VPSidebar").getByText("Condition", { exact: true })
      .click();
    await page.getByRole("heading", { level: 1, name: /^Condition/ }).waitFor();
    await page.goBack();
    await page.locator(".vp-doc").getByRole("link", { name: "Hold" }).first()
      .click();
    await page.getByRole("heading", { level: 1, name: /^Hold/ }).waitFor();
    assertEquals(
      new URL(page.url()).pathname,
      "/api/sync/interface/Hold.html",
    );
  },
);

// node: skip drives a browser, from Deno
/** The page of an inspector, in a browser. */
import {
  createTask,
  Event,
  EventLoop,
  type Inspector,
  isCancelledError,
  Lock,
  Queue,
  run,
  sleep,
  startInspector,
  type Task,
  taskGroup,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertMatch } from "../_support/std_assert.ts";
import {
  type Browser,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { contrastOf } from "./contrast.ts";

/** Where Debian has it; the tests are left out where there is none. */
const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

let browser: Browser;

function isInstalled(): boolean {
  try {
    return Deno.statSync(EXECUTABLE).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test.beforeAll(async () => {
  if (!isInstalled()) return;
  browser = await chromium.launch({
    executablePath: EXECUTABLE,
    // In a container there is nothing to make a sandbox of; the pages are ours.
    args: ["--no-sandbox"],
  });
});

Deno.test.afterAll(async () => {
  if (isInstalled()) await browser.close();
});

interface Shown {
  readonly inspector: Inspector;
  readonly page: Page;
  /** The line of a task in the tree. */
  line(name: string): Locator;
}

/** Runs `body` in a loop, with a page that shows it; nothing may go wrong there. */
function shown(
  name: string,
  body: (shown: Shown) => Promise<void>,
  options: { colorScheme?: "light" | "dark" } = {},
): void {
  Deno.test({
    name,
    ignore: !isInstalled(),
    // The browser is there for all tests.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      run(async () => {
        await using inspector = await startInspector();
        const page = await browser.newPage(options);
        const wrong: string[] = [];
        page.on("pageerror", (error) => wrong.push(String(error)));
        page.on("console", (message) => {
          if (message.type() === "error") wrong.push(message.text());
        });
        page.on("request", (request) => {
          const url = new URL(request.url());
          if (url.protocol !== "data:" && url.host !== inspector.url.host) {
            wrong.push(`It asked ${url}`);
          }
        });
        const line = (name: string) =>
          page.getByRole("treeitem").filter({
            has: page.locator(".name").getByText(name, { exact: true }),
          });
        await page.goto(inspector.url.href);
        await body({ inspector, page, line });
        assertEquals(wrong, []);
        await page.close();
      }),
  });
}

/** Ends what a test has left, and looks at nothing else. */
async function end(...tasks: Task<unknown>[]): Promise<void> {
  for (const task of tasks) {
    task.cancel();
    await task.catch(() => {});
  }
}

shown(
  "tasks appear below those that await them, and end",
  async ({ page, line }) => {
    const release = new Event({ name: "release" });
    const parent = createTask(() =>
      taskGroup((group) => {
        group.createTask(() => release.wait(), { name: "child" });
      }), { name: "parent" });
    await line("child").waitFor();
    assertEquals(await line("parent").getAttribute("aria-level"), "1");
    assertEquals(await line("child").getAttribute("aria-level"), "2");
    assertMatch(
      await line("child").locator(".state").innerText(),
      /^Event\.wait on release$/,
    );
    assertMatch(
      await line("child").locator(".age").innerText(),
      /^[\d.]+ m?s$/,
    );
    assertMatch(await page.locator("#count").innerText(), /^3 tasks$/);
    release.set();
    await parent;
    await line("child").waitFor({ state: "detached" });
    await page.getByText("1 task", { exact: true }).waitFor();
  },
);

shown("a deadlock shows, with who waits for whom", async ({ page, line }) => {
  const locks = [new Lock({ name: "left" }), new Lock({ name: "right" })];
  const dine = async (first: Lock, second: Lock) => {
    using _first = await first.acquire();
    await sleep(1);
    using _second = await second.acquire();
  };
  const tasks = [
    createTask(() => dine(locks[0]!, locks[1]!), { name: "Kant" }),
    createTask(() => dine(locks[1]!, locks[0]!), { name: "Plato" }),
  ];
  const banner = page.getByRole("region", { name: /^Deadlock/ });
  await banner.waitFor();
  assertMatch(
    await banner.innerText(),
    /Kant waits for Lock\.acquire on right \(held by Plato\); Plato waits for Lock\.acquire on left/,
  );
  assertMatch(await line("Kant").locator(".state").innerText(), /^deadlock: /);
  const left = page.getByRole("row", { name: /^left Lock/ });
  assertMatch(await left.innerText(), /1 of 1\s+Plato/);
  await banner.getByRole("button", { name: "Plato" }).click();
  assertEquals(await line("Plato").getAttribute("aria-selected"), "true");
  await end(...tasks);
  await banner.waitFor({ state: "hidden" });
});

shown("cancelling asks first, and then cancels", async ({ page, line }) => {
  const task = createTask(() => new Event().wait(), { name: "victim" });
  await line("victim").click();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: /^Cancel/ }).click();
  assertMatch(await dialog.innerText(), /Ask the task victim to cancel\?/);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: /^Cancel/ }).click();
  await page.keyboard.press("Escape");
  assertEquals(task.cancelling(), 0);

  await page.getByRole("button", { name: /^Cancel/ }).click();
  await page.getByRole("button", { name: "Cancel the task" }).click();
  await page.getByText("asked victim to cancel").waitFor();
  const error = await task.then(() => null, (error: unknown) => error);
  assert(isCancelledError(error));
  assertEquals(error.message, "asked for by the inspector");
  await page.getByText("It has ended.").waitFor();
});

shown("the keyboard alone does it", async ({ page, line }) => {
  const tasks = ["one", "two"].map((name) =>
    createTask(() =>
      taskGroup((group) => {
        group.createTask(() => new Event().wait(), { name: `in ${name}` });
      }), { name })
  );
  await line("in two").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("in tw");
  await line("one").waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  assertEquals(await line("in two").getAttribute("aria-selected"), "true");
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  const tree = page.getByRole("tree");
  assert(await tree.evaluate((element) => element === document.activeElement));
  await page.keyboard.press("ArrowUp");
  assertEquals(await line("two").getAttribute("aria-selected"), "true");
  assertEquals(
    await tree.getAttribute("aria-activedescendant"),
    await line("two").getAttribute("id"),
  );
  await page.keyboard.press("ArrowLeft");
  await line("in two").waitFor({ state: "detached" });
  assertEquals(await line("two").getAttribute("aria-expanded"), "false");
  await page.keyboard.press("ArrowRight");
  await line("in two").waitFor();
  await page.keyboard.press("Enter");
  await page.getByText('<Task pending name="two"').waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Delete");
  assertMatch(
    await page.getByRole("dialog").innerText(),
    /Ask the task in two to cancel\?/,
  );
  await page.keyboard.press("Escape");
  await end(...tasks);
});

shown(
  "the timeline shows the last seconds, and records only while it is open",
  async ({ page }) => {
    const recorders = new Set<unknown>();
    const { addInstrument, removeInstrument } = EventLoop.prototype;
    EventLoop.prototype.addInstrument = function (instrument) {
      recorders.add(instrument);
      addInstrument.call(this, instrument);
    };
    EventLoop.prototype.removeInstrument = function (instrument) {
      recorders.delete(instrument);
      removeInstrument.call(this, instrument);
    };
    const wrong = `<img src=x onerror="document.title='taken'">`;
    const door = new Lock({ name: wrong });
    const holder = createTask(() => door.with(() => new Event().wait()), {
      name: "holder",
    });
    const waiter = createTask(() => door.acquire(), { name: "waiter" });
    await page.getByText("live", { exact: true }).waitFor();
    assertEquals(recorders.size, 0);
    await page.keyboard.press("t");
    const lanes = page.getByRole("application", { name: /^Timeline/ });
    await lanes.waitFor();
    const moment = page.locator("#moment");
    while (!/^\W*waiter/.test(await moment.innerText())) {
      await lanes.press("ArrowDown");
      await sleep(20);
    }
    assertEquals(recorders.size, 1);
    await lanes.press("ArrowRight");
    await lanes.press("ArrowRight");
    assertMatch(
      await moment.innerText(),
      /waiter: Lock\.acquire on <img src=x .*\(held by holder\), outcome pending, for [\d.]+ ms/,
    );
    assertEquals(
      await page.getByRole("button", { name: "Pause" })
        .getAttribute("aria-pressed"),
      "true",
    );
    // Something is drawn, in the colours of the page.
    const colours = await lanes.locator("canvas").evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext("2d")!
        .getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    assert(colours > 3, `${colours} colours`);
    assertEquals(await page.locator("img").count(), 0);
    assertEquals(await page.title(), "asyncio inspector");
    await page.getByRole("button", { name: "Timeline" }).click();
    await lanes.waitFor({ state: "hidden" });
    while (recorders.size > 0) await sleep(20);
    Object.assign(EventLoop.prototype, { addInstrument, removeInstrument });
    await end(holder, waiter);
  },
);

shown("nothing of a name becomes HTML", async ({ page, line }) => {
  const name = `<img src=x onerror="document.title='taken'"><b>bold</b>`;
  const lock = new Lock({ name });
  const queue = new Queue({ name: "</script><script>1" });
  lock.tryAcquire();
  const task = createTask(() => lock.acquire(), { name });
  await line(name).click();
  await page.locator("#graph").getByText("onerror").first().waitFor();
  await page.getByRole("cell", { name: "</script><script>1", exact: true })
    .waitFor();
  await page.getByRole("button", { name: /^Cancel/ }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  assertEquals(await page.locator("img, b").count(), 0);
  assertEquals(await page.title(), "asyncio inspector");
  assertEquals(queue.size, 0);
  await end(task);
});

shown(
  "10,000 tasks are found, and scrolled through",
  async ({ page, line }) => {
    const release = new Event();
    const tasks = Array.from(
      { length: 9_990 },
      (_, i) => createTask(() => release.wait(), { name: `task number ${i}` }),
    );
    await page.getByText("9,991 tasks", { exact: true }).waitFor();
    assert(await page.getByRole("treeitem").count() < 100);
    await page.getByRole("tree").focus();
    await page.keyboard.press("End");
    await line("task number 9989").waitFor();
    await page.getByRole("searchbox").fill("number 5555");
    await line("task number 5555").waitFor();
    assertEquals(await page.getByRole("treeitem").count(), 1);
    release.set();
    for (const task of tasks) await task;
    await page.getByText("1 task", { exact: true }).waitFor();
  },
);

for (const colorScheme of ["light", "dark"] as const) {
  shown(
    `what is written can be read in ${colorScheme}`,
    async ({ page, line }) => {
      await line("Task-").or(page.getByRole("treeitem")).first().waitFor();
      for (const place of ["body", "#count", "#heads", "#hint"]) {
        const contrast = await page.locator(place).evaluate(contrastOf);
        assert(contrast >= 4.5, `${place}: ${contrast}`);
      }
    },
    { colorScheme },
  );
}

shown(
  "another page can neither read, nor cancel, nor frame it",
  async ({ inspector, page }) => {
    const task = createTask(() => new Event().wait(), { name: "victim" });
    const { href, origin, search } = inspector.url;
    // Another origin on this machine, which even knows the token.
    const other = Deno.serve(
      { port: 0, onListen() {} },
      () =>
        new Response("<!doctype html><title>evil</title>", {
          headers: { "content-type": "text/html" },
        }),
    );
    const evil = await browser.newPage();
    await evil.goto(`http://127.0.0.1:${other.addr.port}/`);
    const outcomes = await evil.evaluate(async ({ href, origin, search }) => {
      const cancel = `${origin}/cancel${search}&task=victim`;
      const tried = (url: string, init: RequestInit = {}) =>
        fetch(url, init).then((response) => response.status, () => "refused");
      const frame = document.createElement("iframe");
      frame.src = href;
      const loaded = new Promise((resolve) => frame.onload = resolve);
      document.body.append(frame);
      await loaded;
      return [
        await tried(href),
        await tried(cancel, { method: "POST" }),
        await tried(cancel, { method: "POST", mode: "no-cors" }),
        await new Promise((resolve) => {
          const events = new EventSource(`${origin}/events${search}`);
          events.onmessage = () => resolve("told");
          events.onerror = () => resolve("refused");
        }),
      ];
    }, { href, origin, search });

    assertEquals(outcomes, ["refused", "refused", "refused", "refused"]);
    assertEquals(task.cancelling(), 0);
    for (const frame of evil.frames().slice(1)) {
      assertEquals(await frame.locator("#tree").count(), 0);
    }
    await evil.close();
    await other.shutdown();
    await page.getByText("live", { exact: true }).waitFor();
    await end(task);
  },
);

shown(
  "a wrong token, or another name of this machine, shows no page",
  async ({ inspector }) => {
    const task = createTask(() => new Event().wait(), { name: "secret" });
    const wrong = new URL(inspector.url);
    wrong.searchParams.set("token", "x".repeat(32));
    // A name that somebody else has pointed at this machine.
    const rebound = new URL(inspector.url);
    rebound.hostname = "rebound.localhost";
    for (const url of [wrong, rebound]) {
      const page = await browser.newPage();
      const response = await page.goto(url.href);
      assertEquals(response?.status(), 403);
      assertEquals(await page.locator("#tree").count(), 0);
      await page.close();
    }
    await end(task);
  },
);

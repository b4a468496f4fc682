/**
 * The page of an inspector: one file, which makes requests only to the inspector.
 * What comes from the program, such as a name, becomes text in the
 * page and never HTML.
 */
import {
  TIMELINE_BODY,
  TIMELINE_BUTTON,
  TIMELINE_SCRIPT,
  TIMELINE_STYLE,
} from "./_page_timeline.ts";

/**
 * The page.
 *
 * @param nonce By which its style and its script are told from others.
 */
export function pageWith(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>asyncio inspector</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}${TIMELINE_STYLE}</style>
${BODY}
<script nonce="${nonce}">${SCRIPT}${TIMELINE_SCRIPT}</script>
</html>
`;
}

const STYLE = String.raw`
:root {
  color-scheme: light dark;
  --back: #ffffff; --panel: #f4f5f7; --line: #d4d7dd; --text: #1b1f27;
  --faint: #59606d; --accent: #0b5cad; --bad: #b3261e; --bad-back: #fdecea;
  --chosen: #dbe9f9; --warn: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171c; --panel: #1d2128; --line: #363c47; --text: #e6e9ee;
    --faint: #a2aab8; --accent: #7ab7ff; --bad: #ff8a80; --bad-back: #3a1c1c;
    --chosen: #1e3a5c; --warn: #f0b849;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; }
body {
  margin: 0; display: grid; grid-template-rows: auto auto minmax(0, 3fr) auto;
  background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, sans-serif;
}
header {
  display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center;
  padding: .5rem .8rem; background: var(--panel);
  border-bottom: 1px solid var(--line);
}
h1, h2 { font-size: 1rem; margin: 0; }
header input { flex: 1 1 12rem; max-width: 26rem; }
input, button {
  font: inherit; color: inherit; background: var(--back);
  border: 1px solid var(--line); border-radius: 4px; padding: .15rem .5rem;
}
button { cursor: pointer; }
button.link {
  border: 0; padding: 0; background: none; color: var(--accent);
  text-decoration: underline;
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.faint { color: var(--faint); }
.warn { color: var(--warn); font-weight: 600; }
#deadlocks {
  background: var(--bad-back); border-bottom: 1px solid var(--line);
  padding: .5rem .8rem; max-height: 25vh; overflow: auto;
}
#deadlocks h2 { color: var(--bad); }
#deadlocks ol { margin: .2rem 0 0; padding-left: 1.4rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(16rem, 26rem); min-height: 0; }
#left { display: grid; grid-template-rows: auto minmax(0, 1fr); min-width: 0; min-height: 0; }
.row { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr) 6.5rem; gap: .6rem; }
#heads { padding: .2rem .8rem; border-bottom: 1px solid var(--line); font-weight: 600; }
#tree { overflow: auto; position: relative; }
#space { position: relative; }
#space > .row {
  position: absolute; left: 0; right: 0; height: 26px; line-height: 26px;
  padding: 0 .8rem; cursor: default; white-space: nowrap;
}
#space > .row > span { overflow: hidden; text-overflow: ellipsis; }
.row.chosen { background: var(--chosen); }
.row.stuck > .name { color: var(--bad); font-weight: 600; }
.age { text-align: right; font-variant-numeric: tabular-nums; }
.twig { display: inline-block; width: 1.2em; color: var(--faint); }
#detail { border-left: 1px solid var(--line); background: var(--panel); padding: .6rem .8rem; overflow: auto; }
#detail h2 { overflow-wrap: anywhere; }
pre { font: 12px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); max-height: 30vh; overflow: auto; padding: .4rem .8rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; }
td, th { padding: .1rem .8rem .1rem 0; vertical-align: top; }
td.text { font: 12px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
meter { width: 5rem; vertical-align: middle; }
dialog { border: 1px solid var(--line); border-radius: 6px; background: var(--panel); color: inherit; max-width: 30rem; }
dialog p { overflow-wrap: anywhere; }
.danger { border-color: var(--bad); color: var(--bad); }
@media (max-width: 45rem) {
  main { grid-template-columns: 1fr; grid-template-rows: minmax(0, 1fr) auto; }
  #detail { border-left: 0; border-top: 1px solid var(--line); max-height: 35vh; }
}
`;

const BODY = String.raw`
<header>
  <h1>Tasks</h1>
  <span id="count" class="faint"></span>
  <span id="lag" class="faint"></span>
  <span id="link" role="status">connecting</span>
  <input id="search" type="search" placeholder="Search (press /)" aria-label="Search tasks by name or state">
  ${TIMELINE_BUTTON}
</header>
<section id="deadlocks" aria-labelledby="deadlocks-title" hidden>
  <h2 id="deadlocks-title">Deadlock: these tasks wait for each other</h2>
  <ol id="cycles"></ol>
</section>
<main>
  <section id="left" aria-label="Tasks">
    <div id="heads" class="row" aria-hidden="true">
      <span>task</span><span>waiting for</span><span class="age">for</span>
    </div>
    <div id="tree" role="tree" tabindex="0" aria-label="Tasks, each below those that await it"><div id="space" role="presentation"></div></div>
  </section>
  <section id="detail" aria-label="The chosen task">
    <p id="hint" class="faint">Choose a task: arrow keys, Enter for its call graph, Delete to cancel it.</p>
    <div id="chosen" hidden>
      <h2 id="chosen-name"></h2>
      <p id="chosen-state"></p>
      <p id="chosen-by"></p>
      <p><button id="look" type="button">Call graph</button> <button id="cancel" type="button" class="danger">Cancel&hellip;</button></p>
      <pre id="graph" tabindex="0" aria-label="Call graph" hidden></pre>
    </div>
    <p id="said" role="status"></p>
  </section>
</main>
<footer>${TIMELINE_BODY}  <h2>Locks, queues and their like</h2>
  <table>
    <thead><tr><th>name</th><th>kind</th><th>taken</th><th>who waits</th><th>state</th></tr></thead>
    <tbody id="resources"></tbody>
  </table>
  <p id="none" class="faint">None has a name, and nobody waits for one.</p>
</footer>
<dialog id="ask" aria-labelledby="question">
  <p id="question"></p>
  <form method="dialog">
    <button value="no" autofocus>Let it run</button>
    <button value="yes" class="danger">Cancel the task</button>
  </form>
</dialog>
`;

const SCRIPT = String.raw`
"use strict";
const token = new URLSearchParams(location.search).get("token") || "";
const at = (path, more) => path + "?" + new URLSearchParams(Object.assign({ token }, more));
const get = (id) => document.getElementById(id);
const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const HEIGHT = 26;
/** Levels that are indented; those further down are below each other. */
const INDENTED = 20;

const tasks = new Map();
const resources = new Map();
const folded = new Set();
const inCycle = new Set();
let deadlocks = [];
let now = 0;
let total = 0;
/** What the tree shows: a line for each task that is not folded away. */
let lines = [];
let places = new Map();
let chosen = null;
let resourcesText = "";
let deadlocksText = "";

function span(ms) {
  if (ms < 1000) return Math.max(0, Math.floor(ms)) + " ms";
  if (ms < 60000) return (Math.floor(ms / 100) / 10).toFixed(1) + " s";
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? minutes + " min " + (seconds % 60) + " s"
    : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
}

function listen() {
  const events = new EventSource(at("/events"));
  events.onopen = () => {
    tasks.clear();
    resources.clear();
    say("link", "live");
  };
  events.onerror = () => say("link", "not connected: has the program ended?", "warn");
  events.onmessage = (event) => update(JSON.parse(event.data));
}

function say(id, text, className) {
  const element = get(id);
  if (element.textContent !== text) element.textContent = text;
  element.className = className || "faint";
}

function update(change) {
  for (const id of change.gone) {
    tasks.delete(id);
    resources.delete(id);
    folded.delete(id);
  }
  for (const row of change.tasks) tasks.set(row.id, row);
  for (const row of change.resources) resources.set(row.id, row);
  now = change.now;
  total = change.total;
  deadlocks = change.deadlocks;
  const some = tasks.size < total
    ? "the oldest " + tasks.size.toLocaleString("en") + " of "
    : "";
  say("count", some + total.toLocaleString("en") + (total === 1 ? " task" : " tasks"));
  say("lag", "loop lag " + change.lagMs.toFixed(1) + " ms", change.lagMs > 50 ? "warn" : "");
  inCycle.clear();
  for (const cycle of deadlocks) for (const id of cycle) inCycle.add(id);
  arrange();
  drawDeadlocks();
  drawResources();
  drawChosen();
}

/** Puts the tasks in the order of the tree, or of the search. */
function arrange() {
  const sought = get("search").value.trim().toLowerCase();
  const sorted = [...tasks.values()].sort((a, b) => a.id - b.id);
  lines = [];
  if (sought !== "") {
    for (const row of sorted) {
      if ((row.name + " " + row.state).toLowerCase().includes(sought)) {
        lines.push({ row, depth: 0, below: 0 });
      }
    }
  } else {
    const below = new Map();
    const roots = [];
    for (const row of sorted) {
      const parent = row.by.find((id) => tasks.has(id));
      if (parent === undefined) roots.push(row);
      else if (below.has(parent)) below.get(parent).push(row);
      else below.set(parent, [row]);
    }
    const shown = new Set();
    const grow = (root) => {
      const left = [{ row: root, depth: 0 }];
      for (let next = left.pop(); next; next = left.pop()) {
        const { row, depth } = next;
        if (shown.has(row.id)) continue;
        shown.add(row.id);
        const children = below.get(row.id) || [];
        lines.push({ row, depth, below: children.length });
        if (folded.has(row.id)) {
          hide(row.id);
          continue;
        }
        for (let i = children.length - 1; i >= 0; i--) {
          left.push({ row: children[i], depth: depth + 1 });
        }
      }
    };
    const hide = (id) => {
      const left = [id];
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        for (const child of below.get(next) || []) {
          if (shown.has(child.id)) continue;
          shown.add(child.id);
          left.push(child.id);
        }
      }
    };
    for (const root of roots) grow(root);
    // Whoever is below no root awaits itself, by way of others.
    for (const row of sorted) if (!shown.has(row.id)) grow(row);
  }
  places = new Map(lines.map((line, index) => [line.row.id, index]));
  draw();
}

const pool = [];
/** Draws the lines that are in sight, whatever their number is. */
function draw() {
  const tree = get("tree");
  const space = get("space");
  space.style.height = lines.length * HEIGHT + "px";
  const first = Math.max(0, Math.floor(tree.scrollTop / HEIGHT) - 5);
  const last = Math.min(lines.length, first + Math.ceil(tree.clientHeight / HEIGHT) + 10);
  for (let index = first; index < last; index++) {
    let element = pool[index - first];
    if (element === undefined) {
      element = make("div", undefined, "row");
      element.setAttribute("role", "treeitem");
      const name = make("span", undefined, "name");
      name.append(make("span", "", "twig"), make("span", ""));
      element.append(name, make("span", "", "state"), make("span", "", "age"));
      pool.push(element);
      space.append(element);
    }
    drawLine(element, lines[index], index);
  }
  while (pool.length > Math.max(0, last - first)) pool.pop().remove();
  const isSeen = chosen !== null && pool.some((each) => each.id === "t" + chosen);
  if (isSeen) tree.setAttribute("aria-activedescendant", "t" + chosen);
  else tree.removeAttribute("aria-activedescendant");
}

function drawLine(element, line, index) {
  const { row, depth, below } = line;
  const isFolded = folded.has(row.id);
  element.id = "t" + row.id;
  element.dataset.id = row.id;
  element.style.top = index * HEIGHT + "px";
  element.className = "row" + (row.id === chosen ? " chosen" : "") + (row.isStuck ? " stuck" : "");
  element.setAttribute("aria-level", depth + 1);
  element.setAttribute("aria-posinset", index + 1);
  element.setAttribute("aria-setsize", lines.length);
  element.setAttribute("aria-selected", row.id === chosen);
  if (below > 0) element.setAttribute("aria-expanded", !isFolded);
  else element.removeAttribute("aria-expanded");
  const [name, state, age] = element.children;
  name.style.paddingLeft = Math.min(depth, INDENTED) * 1.2 + "em";
  name.children[0].textContent = below === 0 ? "" : isFolded ? "\u25b8" : "\u25be";
  name.children[1].textContent = (depth > INDENTED ? "[" + depth + "] " : "") + row.name;
  state.textContent = describe(row);
  state.title = row.state;
  age.textContent = row.since === null ? "" : span(now - row.since);
}

function marks(row) {
  const marks = [];
  if (inCycle.has(row.id)) marks.push("deadlock");
  else if (row.isStuck) marks.push("waits for a deadlock");
  if (row.isCancelling) marks.push("cancelling");
  return marks;
}

function describe(row) {
  return marks(row).map((mark) => mark + ": ").join("") + row.state;
}

function link(id) {
  const row = tasks.get(id);
  const button = make("button", row ? row.name : "a task that is not shown", "link");
  button.type = "button";
  button.addEventListener("click", () => choose(id, true));
  return button;
}

function drawDeadlocks() {
  const text = JSON.stringify(deadlocks.map((cycle) => cycle.map((id) => [id, tasks.get(id)?.state])));
  get("deadlocks").hidden = deadlocks.length === 0;
  if (text === deadlocksText) return;
  deadlocksText = text;
  get("cycles").replaceChildren(...deadlocks.slice(0, 100).map((cycle) => {
    const item = make("li");
    for (const id of cycle.slice(0, 50)) {
      item.append(link(id), " waits for " + (tasks.get(id)?.state || "another") + "; ");
    }
    if (cycle.length > 50) item.append("and " + (cycle.length - 50) + " more");
    return item;
  }));
}

function drawResources() {
  const rows = [...resources.values()].sort((a, b) => a.id - b.id);
  const text = JSON.stringify(rows.map((row) => [row, row.waiters.map((id) => tasks.get(id)?.name)]));
  if (text === resourcesText) return;
  resourcesText = text;
  get("none").hidden = rows.length > 0;
  get("resources").replaceChildren(...rows.map((row) => {
    const line = make("tr");
    const fill = make("td");
    if (row.fill !== null) {
      const [taken, of] = row.fill;
      const meter = make("meter");
      meter.max = of;
      meter.value = taken;
      meter.setAttribute("aria-label", "taken");
      fill.append(meter, " " + taken + " of " + of);
    }
    const waiters = make("td");
    for (const id of row.waiters.slice(0, 5)) waiters.append(link(id), " ");
    if (row.waiters.length > 5) waiters.append("and " + (row.waiters.length - 5) + " more");
    line.append(make("td", row.name || "-"), make("td", row.kind), fill, waiters, make("td", row.text, "text"));
    return line;
  }));
}

function drawChosen() {
  const row = tasks.get(chosen);
  get("hint").hidden = chosen !== null;
  get("chosen").hidden = chosen === null;
  if (chosen === null) return;
  get("cancel").disabled = get("look").disabled = row === undefined;
  if (row === undefined) {
    get("chosen-state").textContent = "It has ended.";
    get("chosen-by").replaceChildren();
    return;
  }
  get("chosen-name").textContent = row.name;
  const age = row.since === null ? "" : ", for " + span(now - row.since);
  get("chosen-state").textContent = "Waiting for " + row.state + age + marks(row).map((mark) => ", " + mark).join("");
  const by = get("chosen-by");
  const key = row.by.join(" ") + row.by.map((id) => tasks.get(id)?.name);
  if (by.dataset.key === key) return;
  by.dataset.key = key;
  by.replaceChildren(row.by.length === 0 ? "Not awaited" : "Awaited by ");
  for (const id of row.by.slice(0, 10)) by.append(link(id), " ");
}

function choose(id, show) {
  if (chosen !== id) {
    get("graph").hidden = true;
    get("chosen-by").dataset.key = "";
  }
  chosen = id;
  let index = places.get(id);
  if (show && index === undefined && tasks.has(id)) {
    get("search").value = "";
    for (let each = tasks.get(id), seen = new Set(); each && !seen.has(each.id);) {
      seen.add(each.id);
      folded.delete(each.id);
      each = tasks.get(each.by.find((parent) => tasks.has(parent)));
    }
    arrange();
    index = places.get(id);
  }
  if (index !== undefined) {
    const tree = get("tree");
    const top = index * HEIGHT;
    if (top < tree.scrollTop) tree.scrollTop = top;
    else if (top + HEIGHT > tree.scrollTop + tree.clientHeight) {
      tree.scrollTop = top + HEIGHT - tree.clientHeight;
    }
  }
  draw();
  drawChosen();
}

async function look() {
  const id = chosen;
  const response = await fetch(at("/where", { id }));
  const text = await response.text();
  if (id !== chosen) return;
  get("graph").textContent = text;
  get("graph").hidden = false;
}

function ask() {
  const row = tasks.get(chosen);
  if (row === undefined) return;
  const dialog = get("ask");
  get("question").textContent = "Ask the task " + row.name + " to cancel? It gets a CancelledError where it waits.";
  dialog.returnValue = "no";
  dialog.onclose = async () => {
    get("tree").focus();
    if (dialog.returnValue !== "yes") return;
    const response = await fetch(at("/cancel", { id: row.id }), { method: "POST" });
    say("said", await response.text());
  };
  dialog.showModal();
}

function toggle(id, isFolded) {
  if (isFolded) folded.add(id);
  else folded.delete(id);
  arrange();
}

const tree = get("tree");
tree.addEventListener("scroll", draw);
addEventListener("resize", draw);
tree.addEventListener("click", (event) => {
  const element = event.target.closest("[data-id]");
  if (element === null) return;
  const id = Number(element.dataset.id);
  if (event.target.className === "twig") toggle(id, !folded.has(id));
  choose(id, false);
  look();
});
tree.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const index = places.get(chosen) ?? -1;
  const page = Math.max(1, Math.floor(tree.clientHeight / HEIGHT) - 1);
  const line = lines[index];
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (event.key in steps) {
    const next = Math.min(lines.length - 1, Math.max(0, index + steps[event.key]));
    if (lines[next]) choose(lines[next].row.id, false);
  } else if (event.key === "ArrowRight" && line) {
    if (folded.has(line.row.id)) toggle(line.row.id, false);
    else if (line.below > 0 && lines[index + 1]) choose(lines[index + 1].row.id, false);
  } else if (event.key === "ArrowLeft" && line) {
    const parent = line.row.by.find((id) => places.has(id));
    if (line.below > 0 && !folded.has(line.row.id)) toggle(line.row.id, true);
    else if (parent !== undefined) choose(parent, false);
  } else if (event.key === "Enter" && line) look();
  else if (event.key === "Delete" && line) ask();
  else return;
  event.preventDefault();
});
get("search").addEventListener("input", () => {
  tree.scrollTop = 0;
  arrange();
});
get("search").addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    get("search").value = "";
    arrange();
    tree.focus();
  } else if (event.key === "Enter" && lines[0]) {
    choose(lines[0].row.id, false);
    tree.focus();
  }
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === get("search") || get("ask").open) return;
  event.preventDefault();
  get("search").focus();
});
get("look").addEventListener("click", look);
get("cancel").addEventListener("click", ask);
listen();
`;

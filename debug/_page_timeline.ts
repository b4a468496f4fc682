/**
 * The part of the page that draws the timeline of the last seconds. Names are
 * drawn, or become text, and never HTML.
 */

export const TIMELINE_STYLE: string = String.raw`
#timeline { margin-bottom: .6rem; }
#timeline .bar { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: baseline; }
#lanes { max-height: 14rem; overflow: auto; border: 1px solid var(--line); }
#lanes canvas { display: block; }
#moment { min-height: 1.5em; margin: .2rem 0 0; overflow-wrap: anywhere; }
footer.timed { max-height: 55vh; }
`;

export const TIMELINE_BUTTON: string =
  `<button id="time" type="button" aria-expanded="false" aria-controls="timeline">Timeline</button>`;

export const TIMELINE_BODY: string = String.raw`
  <section id="timeline" aria-labelledby="timeline-title" hidden>
    <div class="bar">
      <h2 id="timeline-title">The last seconds</h2>
      <button id="pause" type="button" aria-pressed="false">Pause</button>
      <span class="faint">arrow keys choose a task and what it did, Space pauses</span>
      <span id="timeline-left" class="faint"></span>
    </div>
    <div id="lanes" tabindex="0" role="application" aria-label="Timeline of the tasks" aria-describedby="moment"><canvas></canvas></div>
    <p id="moment" role="status"></p>
  </section>
`;

export const TIMELINE_SCRIPT: string = String.raw`
const ROW = 18;
const LABEL = 190;
const COLOURS = { task: "--line", wait: "--chosen", long_step: "--warn", cancel: "--bad", error: "--bad" };
let seen = null;
let recorded = null;
let laneIndex = 0;
let sliceIndex = -1;

function showTimeline(isOpen) {
  get("timeline").hidden = !isOpen;
  document.querySelector("footer").classList.toggle("timed", isOpen);
  get("time").setAttribute("aria-expanded", isOpen);
  if (!isOpen) {
    // The program records only for as long as somebody looks.
    recorded?.close();
    recorded = seen = null;
    return;
  }
  recorded = new EventSource(at("/timeline"));
  recorded.onmessage = (event) => {
    if (get("pause").getAttribute("aria-pressed") === "true") return;
    const lane = seen?.lanes[laneIndex]?.[0];
    seen = JSON.parse(event.data);
    laneIndex = Math.max(0, seen.lanes.findIndex(([id]) => id === lane));
    sliceIndex = -1;
    say("timeline-left", seen.left > 0 ? seen.left.toLocaleString("en") + " shorter ones are not shown" : "");
    drawTimeline();
  };
  get("lanes").focus();
}

function slicesOf(index) {
  const lane = seen?.lanes[index];
  return lane === undefined ? [] : seen.slices.filter(([id]) => id === lane[0]);
}

function drawTimeline() {
  if (seen === null) return;
  const box = get("lanes");
  const canvas = box.firstElementChild;
  const ratio = devicePixelRatio || 1;
  const width = Math.max(300, box.clientWidth);
  const height = Math.max(1, Math.min(seen.lanes.length, 500)) * ROW + ROW;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  pen.fillStyle = colour("--back");
  pen.fillRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const start = seen.now - seen.span;
  const x = (ms) => LABEL + Math.max(0, (ms - start) / seen.span) * (width - LABEL);
  pen.fillStyle = colour("--faint");
  for (let second = 0; second <= seen.span / 1000; second += 2) {
    pen.fillText("-" + (seen.span / 1000 - second) + " s", x(start + second * 1000) + 2, ROW / 2);
    pen.fillRect(x(start + second * 1000), 0, 1, height);
  }
  const rows = new Map(seen.lanes.map(([id], index) => [id, index]));
  const top = (id) => ROW + rows.get(id) * ROW;
  seen.lanes.forEach(([id, name], index) => {
    pen.fillStyle = colour(index === laneIndex ? "--accent" : "--text");
    pen.fillText(name.slice(0, 60), 4, top(id) + ROW / 2, LABEL - 8);
  });
  const chosenSlice = slicesOf(laneIndex)[sliceIndex];
  for (const slice of seen.slices) {
    const [id, kind, name, begin, length] = slice;
    const isTask = kind === "task";
    const left = x(begin);
    const wide = Math.max(kind === "cancel" || kind === "error" ? 3 : 1, x(begin + length) - left);
    pen.fillStyle = colour(COLOURS[kind] || "--line");
    pen.fillRect(left, top(id) + (isTask ? 7 : 2), wide, isTask ? 4 : ROW - 4);
    if (!isTask && wide > 40) {
      pen.save();
      pen.beginPath();
      pen.rect(left, top(id), wide, ROW);
      pen.clip();
      pen.fillStyle = colour("--text");
      pen.fillText(name, left + 3, top(id) + ROW / 2);
      pen.restore();
    }
    if (slice === chosenSlice) {
      pen.strokeStyle = colour("--accent");
      pen.lineWidth = 2;
      pen.strokeRect(left, top(id) + 1, wide, ROW - 2);
    }
  }
  pen.strokeStyle = colour("--faint");
  pen.lineWidth = 1;
  for (const [from, begin, to, end] of seen.arrows) {
    pen.beginPath();
    pen.moveTo(x(begin), top(from) + ROW / 2);
    pen.lineTo(x(end), top(to) + ROW / 2);
    pen.stroke();
    pen.fillStyle = colour("--faint");
    pen.fillRect(x(end) - 2, top(to) + ROW / 2 - 2, 4, 4);
  }
}

function tellMoment() {
  const lane = seen?.lanes[laneIndex];
  const slice = slicesOf(laneIndex)[sliceIndex];
  const name = lane ? lane[1].trim() : "";
  get("moment").textContent = slice === undefined
    ? name
    : name + ": " + slice[2] + ", for " + slice[4].toFixed(3) + " ms, " + span(seen.now - slice[3]) + " ago";
  drawTimeline();
}

function pause(isPaused) {
  get("pause").setAttribute("aria-pressed", isPaused);
}

get("time").addEventListener("click", () => showTimeline(get("timeline").hidden));
get("pause").addEventListener("click", () => pause(get("pause").getAttribute("aria-pressed") !== "true"));
get("lanes").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || seen === null) return;
  const count = seen.lanes.length;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    laneIndex = Math.min(count - 1, Math.max(0, laneIndex + step));
    sliceIndex = -1;
    get("lanes").scrollTop = (laneIndex - 3) * ROW;
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    // What is chosen stays where it is.
    pause(true);
    const step = event.key === "ArrowRight" ? 1 : -1;
    sliceIndex = Math.min(slicesOf(laneIndex).length - 1, Math.max(0, sliceIndex + step));
  } else if (event.key === " ") pause(get("pause").getAttribute("aria-pressed") !== "true");
  else return;
  event.preventDefault();
  tellMoment();
});
get("lanes").addEventListener("click", (event) => {
  if (seen === null) return;
  const bounds = get("lanes").firstElementChild.getBoundingClientRect();
  const row = Math.floor((event.clientY - bounds.top) / ROW) - 1;
  if (row < 0 || row >= seen.lanes.length) return;
  pause(true);
  laneIndex = row;
  const ms = seen.now - seen.span + (event.clientX - bounds.left - LABEL) / (bounds.width - LABEL) * seen.span;
  // The last one that began before: it lies above the others.
  sliceIndex = slicesOf(row).findLastIndex((slice) => slice[3] <= ms && ms <= slice[3] + Math.max(slice[4], 50));
  tellMoment();
});
addEventListener("resize", drawTimeline);
addEventListener("keydown", (event) => {
  const isTyping = event.target === get("search") || get("ask").open;
  if (event.key !== "t" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  showTimeline(get("timeline").hidden);
});
`;

/** What an inspector answers over HTTP. */
import { allTasks } from "../loop/all_tasks.ts";
import { cancelSafely } from "../loop/cancel_each.ts";
import {
  cancelWanted,
  INSPECTION,
  inspectOldest,
  inspectWanted,
} from "../loop/inspection.ts";
import type { LoopKernel } from "../loop/kernel.ts";
import { nameOf } from "../loop/whereabouts.ts";
import type { HttpAnswer, HttpRequest } from "../platform/types/http.ts";
import { answer, CANCEL_REASON, commandNames } from "./_commands.ts";
import { type Guard, makeToken } from "./_guard.ts";
import { pageWith } from "./_page.ts";
import { Numbers, takeSnapshot } from "./_snapshot.ts";
import { Timelines } from "./_timelines.ts";
import { Updates } from "./_updates.ts";

/** Of every answer: it is not cached, its type is not guessed, and no frame shows it. */
const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

type Answering = (query: URLSearchParams) => HttpAnswer;

export class Service {
  readonly #kernel: LoopKernel;
  readonly #guard: Guard;
  readonly #numbers = new Numbers();
  readonly #updates: Updates;
  readonly #timelines: Timelines;
  readonly #gets: Readonly<Record<string, Answering>> = {
    "/": () => page(),
    "/events": () => this.#events(this.#updates),
    "/inspect": (query) => this.#inspect(query),
    "/timeline": () => this.#events(this.#timelines),
    "/tasks": () => json(takeSnapshot(this.#kernel, this.#numbers)),
    "/where": (query) => this.#where(query),
  };

  constructor(kernel: LoopKernel, guard: Guard) {
    this.#kernel = kernel;
    this.#guard = guard;
    this.#updates = new Updates(kernel, this.#numbers);
    this.#timelines = new Timelines(kernel);
  }

  /** What a program's own `toString` throws must not end the program. */
  answer(request: HttpRequest): HttpAnswer {
    try {
      return this.#answer(request);
    } catch (error) {
      this.#kernel.report({ message: "The inspector could not answer", error });
      return text(500, ["The program was told why that cannot be answered"]);
    }
  }

  #answer(request: HttpRequest): HttpAnswer {
    const { method, target } = request;
    const [path = "", rest = ""] = target.split(/\?(.*)/s);
    const query = new URLSearchParams(rest);
    const refused = this.#guard.refusal(request, query);
    if (refused !== null) return text(403, [refused]);
    if (path === "/cancel") {
      return method === "POST"
        ? this.#cancel(query)
        : text(405, ["To cancel takes a POST"], { allow: "POST" });
    }
    if (method !== "GET") {
      return text(405, ["To look takes a GET"], { allow: "GET" });
    }
    const answering = Object.hasOwn(this.#gets, path) ? this.#gets[path] : null;
    if (answering) return answering(query);
    const name = path.slice(1);
    return commandNames.includes(name)
      ? this.#command(name, query)
      : text(404, [`No such path; try: /help`]);
  }

  stop(): void {
    this.#updates.stop();
    this.#timelines.stop();
  }

  #events(source: Updates | Timelines): HttpAnswer {
    if (source.isFull) return text(503, ["Too many pages are open"]);
    return {
      status: 200,
      headers: { ...HEADERS, "content-type": "text/event-stream" },
      body: (output) => source.open(output),
    };
  }

  #where(query: URLSearchParams): HttpAnswer {
    const task = this.#numbered(query);
    return task === undefined
      ? this.#command("where", query)
      : task === null
      ? text(404, ["The task has ended"])
      : text(200, answer([task], "where", task.name));
  }

  #cancel(query: URLSearchParams): HttpAnswer {
    const wanted = query.get("inspected");
    if (wanted !== null) return json(cancelWanted(this.#kernel, wanted));
    const task = this.#numbered(query);
    if (task === undefined) return this.#command("cancel", query);
    if (task === null) return text(404, ["The task has ended"]);
    cancelSafely(task, CANCEL_REASON);
    return text(200, [`asked ${nameOf(task)} to cancel`]);
  }

  /** For the command line, which asks a debugger for the same. */
  #inspect(query: URLSearchParams): HttpAnswer {
    const kernel = this.#kernel;
    const task = query.get("task");
    const loop = task === null
      ? inspectOldest(kernel, Number(query.get("limit") ?? Infinity))
      : inspectWanted(kernel, task);
    return json({ version: INSPECTION, loops: [loop] });
  }

  /** The task of `id`; `undefined` if there is none, null if it has ended. */
  #numbered(query: URLSearchParams): ReturnType<Numbers["taskOf"]> | undefined {
    const id = query.get("id");
    return id === null ? undefined : this.#numbers.taskOf(Number(id));
  }

  #command(name: string, query: URLSearchParams): HttpAnswer {
    const tasks = [...allTasks(this.#kernel.loop)].reverse();
    return text(200, answer(tasks, name, query.get("task") ?? ""));
  }
}

function page(): HttpAnswer {
  const nonce = makeToken();
  return {
    status: 200,
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
    },
    body: pageWith(nonce),
  };
}

function json(value: unknown): HttpAnswer {
  return {
    status: 200,
    headers: { ...HEADERS, "content-type": "application/json" },
    body: JSON.stringify(value),
  };
}

function text(
  status: number,
  lines: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: {
      ...HEADERS,
      ...headers,
      "content-type": "text/plain; charset=utf-8",
    },
    body: `${lines.join("\n")}\n`,
  };
}

/** Asks an inspector that the program has opened itself, by its URL. */
import type { InspectedLoop } from "../loop/inspection.ts";
import { Failure } from "./_failure.ts";
import { Silence } from "./_session.ts";
import { checkVersion, type Facts, type Target, taskIn } from "./_target.ts";

/** Longer than any answer takes of a loop that is not held. */
const ANSWER_MS = 10_000;

interface Answer {
  readonly version?: unknown;
  readonly loops: readonly InspectedLoop[];
}

/** @param target What `inspector.url` of `startInspector()` has given. */
export function openDoor(target: string): Target {
  const url = URL.canParse(target) ? new URL(target) : null;
  const token = url?.searchParams.get("token") ?? null;
  if (url === null || token === null) {
    throw new Failure(
      `The URL of an inspector has a token: received ${target}`,
    );
  }
  return new Door(url, token);
}

class Door implements Target {
  readonly session = null;
  readonly #url: URL;
  readonly #token: string;

  constructor(url: URL, token: string) {
    this.#url = url;
    this.#token = token;
  }

  oldest(limit: number): Promise<Facts> {
    return this.#facts("limit", String(limit));
  }

  async wanted(task: string): Promise<Facts> {
    const wanted = taskIn("", task);
    if (wanted === null) return { copies: [], notes: [] };
    return await this.#facts("task", wanted);
  }

  async cancel(task: string): Promise<string[]> {
    const wanted = taskIn("", task);
    if (wanted === null) return [];
    return await this.#ask<string[]>("POST", "/cancel", ["inspected", wanted]);
  }

  blocked(): Promise<null> {
    // It is the loop that answers: one that is held says nothing.
    return this.oldest(0).then(() => null, (error) => {
      throw error instanceof Silence
        ? new Failure(
          "The program does not answer: something holds its loop, and with it the inspector; ask by the process id what that is",
        )
        : error;
    });
  }

  detach(): Promise<void> {
    return Promise.resolve();
  }

  async #facts(name: string, value: string): Promise<Facts> {
    const { version, loops } = await this.#ask<Answer>("GET", "/inspect", [
      name,
      value,
    ]);
    const place = this.#url.host;
    checkVersion(version, place);
    return { copies: [{ place, thread: null, label: "", loops }], notes: [] };
  }

  async #ask<T>(
    method: string,
    path: string,
    [name, value]: readonly [string, string],
  ): Promise<T> {
    const url = new URL(path, this.#url);
    url.searchParams.set(name, value);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      text = await response.text();
    } catch (error) {
      if ((error as Error).name === "TimeoutError") {
        throw new Silence(
          "The program does not answer: something holds its loop, or it was stopped",
        );
      }
      throw new Failure(
        `There is no inspector at ${url.host}, or its program has ended meanwhile`,
      );
    }
    if (response.status === 404) {
      throw new Failure(
        `At ${url.host} is no inspector of this version of @asyncio/asyncio`,
      );
    }
    if (!response.ok) {
      throw new Failure(`The inspector says: ${text.trim()}`);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw new Failure(
        `At ${url.host} is no inspector of @asyncio/asyncio`,
      );
    }
  }
}

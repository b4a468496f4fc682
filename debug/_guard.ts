/**
 * Who may ask an inspector something: whoever has its token, from this machine,
 * by its own address. Any page in a browser here can send requests to it, and a
 * name that somebody else has pointed at this machine reaches it as well: so it
 * is not enough that a request came.
 */
import type { HttpRequest } from "../platform/types/http.ts";

/** How long a token is, in bytes of chance. */
const TOKEN_BYTES = 24;
const BEARER = "bearer ";
/** Where a browser says that a request comes from: this page, or its user. */
const TRUSTED_SITES: ReadonlySet<string> = new Set(["same-origin", "none"]);

/** A word that nobody can guess. */
export function makeToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_");
}

/** Whether only this machine can reach what listens at `hostname`. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** A host as URLs have it. */
export function inUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

export class Guard {
  readonly token: string = makeToken();
  readonly #names: readonly string[];

  /** @param hostname Where the inspector listens. */
  constructor(hostname: string) {
    this.#names = ["127.0.0.1", "localhost", "[::1]", inUrl(hostname)];
  }

  /** Why a request is refused; null if it is not. */
  refusal(request: HttpRequest, query: URLSearchParams): string | null {
    const host = request.header("host") ?? "";
    if (!this.#isOwn(host, request.port)) {
      return "The host is not that of the inspector";
    }
    const origin = request.header("origin");
    if (origin !== undefined && origin !== `http://${host}`) {
      return "The request comes from another origin";
    }
    const site = request.header("sec-fetch-site");
    const isNavigation = request.header("sec-fetch-mode") === "navigate" &&
      request.method === "GET";
    if (site !== undefined && !isNavigation && !TRUSTED_SITES.has(site)) {
      return "The request comes from another site";
    }
    return isSame(tokenOf(request, query), this.token)
      ? null
      : "The token is missing or wrong: it is in the URL of the inspector";
  }

  #isOwn(host: string, port: number): boolean {
    return this.#names.some((name) =>
      // Clients leave the port out where it goes without saying.
      host === `${name}:${port}` || (port === 80 && host === name)
    );
  }
}

function tokenOf(request: HttpRequest, query: URLSearchParams): string {
  const header = request.header("authorization") ?? "";
  return header.slice(0, BEARER.length).toLowerCase() === BEARER
    ? header.slice(BEARER.length)
    : query.get("token") ?? "";
}

/** How long it takes does not tell how much of it is right. */
function isSame(given: string, token: string): boolean {
  let difference = given.length ^ token.length;
  for (let i = 0; i < token.length; i++) {
    difference |= given.charCodeAt(i) ^ token.charCodeAt(i);
  }
  return difference === 0;
}

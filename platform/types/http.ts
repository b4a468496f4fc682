/** A request to an HTTP server of the host. */
export interface HttpRequest {
  readonly method: string;
  /** The port of the server. */
  readonly port: number;
  /** The path and the query. */
  readonly target: string;
  /** A header by its name in small letters. */
  header(name: string): string | undefined;
}

/** What it is answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** All of it; or what writes it, as long as the client is there. */
  readonly body: string | ((output: HttpOutput) => HttpBody);
}

/** A body that goes on. */
export interface HttpBody {
  /** The client, or the server, has left. */
  ended(): void;
}

/** Where such a body goes. */
export interface HttpOutput {
  /** Whether the client has yet to take what was written. */
  readonly isBehind: boolean;
  write(text: string): void;
}

/** An HTTP server that listens. It does not keep the program alive. */
export interface HttpServer {
  readonly port: number;
  /** Stops listening, and hangs up on who is connected. */
  close(): Promise<void>;
}

/** HTTP servers of the host. */
export interface HostHttp {
  /**
   * Listens, and answers each request.
   *
   * @param action What cannot be done where it fails.
   */
  serve(
    options: { hostname: string; port: number; action: string },
    answer: (request: HttpRequest) => HttpAnswer,
  ): Promise<HttpServer>;
}

/** Node's `process`, in the shape the adapters use; Deno has it as well. */
export interface NodeProcess {
  readonly env: Record<string, string | undefined>;
  readonly execArgv: readonly string[];
  readonly execPath: string;
  readonly pid: number;
  readonly platform: string;
  readonly versions: { readonly node: string };
  exitCode: number | string | null | undefined;
  emitWarning(warning: string, type: string): void;
  hasUncaughtExceptionCaptureCallback(): boolean;
  setUncaughtExceptionCaptureCallback(
    callback: ((error: unknown) => void) | null,
  ): void;
  exit(status: number): never;
  kill(pid: number, signal: string): void;
  on(event: string, listener: (...args: unknown[]) => void): void;
  removeListener(event: string, listener: (...args: unknown[]) => void): void;
  listenerCount(event: string): number;
  listeners(event: string): ((...args: never[]) => void)[];
}

/** Node's `process`. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}

/** Rejections that nobody handles, on Deno. */

/** Lets those pass that `isHandled` answers true for. */
export function filterUnhandledRejections(
  isHandled: (reason: unknown) => boolean,
): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (isHandled(event.reason)) event.preventDefault();
  });
}

import { mapError as mapDenoError } from "./deno/errors.ts";
import { mapError as mapNodeError } from "./node/errors.ts";
import { isDeno } from "./runtime.ts";

/** The library's error for one of the host's. */
export const mapError: (error: unknown, action: string) => Error = isDeno
  ? mapDenoError
  : mapNodeError;

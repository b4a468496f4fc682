import type { HostFiles } from "../types/files.ts";
import { mapError } from "./errors.ts";

/** Files on Deno. */
export const files: HostFiles = {
  async open(path) {
    try {
      const file = await Deno.open(path);
      return {
        async read(buffer) {
          try {
            return await file.read(buffer);
          } catch (error) {
            throw mapError(error, `read ${path}`);
          }
        },
        close: () => file.close(),
      };
    } catch (error) {
      throw mapError(error, `open ${path}`);
    }
  },
};

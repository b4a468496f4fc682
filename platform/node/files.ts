import { builtin } from "../shared/builtin.ts";
import type { HostFiles } from "../types/files.ts";
import { mapError } from "./errors.ts";

/** Files on Node. */
export const files: HostFiles = {
  async open(path) {
    try {
      const file = await builtin("node:fs").promises.open(path);
      return {
        async read(buffer) {
          try {
            const { bytesRead } = await file.read(buffer);
            return bytesRead === 0 ? null : bytesRead;
          } catch (error) {
            throw mapError(error, `read ${path}`);
          }
        },
        close: () => void file.close(),
      };
    } catch (error) {
      throw mapError(error, `open ${path}`);
    }
  },
};

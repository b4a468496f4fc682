/** HTTP servers on Node and Bun. */
export { http } from "../shared/http.ts";

/** Which adapter to take: that of Deno, or that of Node, for Node and its like. */

/** Whether this is Deno. */
export const isDeno: boolean = "Deno" in globalThis;

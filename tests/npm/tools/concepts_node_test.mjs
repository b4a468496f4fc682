import { test } from "node:test";
import { concepts } from "./concepts.mjs";

for (const [name, concept] of Object.entries(concepts)) test(name, concept);

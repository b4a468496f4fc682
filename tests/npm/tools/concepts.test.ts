import { test } from "vitest";
import { concepts } from "./concepts.mjs";

for (const [name, concept] of Object.entries(concepts)) test(name, concept);

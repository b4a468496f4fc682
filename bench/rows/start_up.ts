import type { ProgramRow } from "../types.ts";

const modules = {
  ours: "@asyncio/asyncio",
  effection: "effection",
  effect: "effect",
};

/** What a program pays before its first line for importing everything there is. */
export const startUp: ProgramRow = {
  kind: "program",
  id: "start_up",
  title: "start-up over an empty script",
  size: 1,
  python: true,
  measure: "start-up",
  metrics: [
    { name: "source", unit: "ns", targets: [] },
    {
      name: "bundled",
      unit: "ns",
      targets: [{ peer: "ours", below: 15e6 }, { peer: "effect", atLeast: 1 }],
    },
  ],
  notes: {
    ours: "source: the modules of this tree, one by one",
    effection: "source: from Deno's npm cache",
    effect: "source: from Deno's npm cache",
  },
  modules: { ...modules, asyncio: "asyncio", uvloop: "asyncio, uvloop" },
};

/** What it weighs. */
export const packageSize: ProgramRow = {
  kind: "program",
  id: "package_size",
  title: "size of everything",
  size: 1,
  python: false,
  maxRounds: 1,
  measure: "size",
  metrics: [
    { name: "minified", unit: "bytes", targets: [] },
    { name: "gzipped", unit: "bytes", targets: [] },
    { name: "modules", unit: "count", targets: [] },
    { name: "npm", unit: "bytes", targets: [] },
    // A bundle with nothing else of the package.
    {
      name: "Lock",
      unit: "bytes",
      targets: [{ peer: "ours", below: 40_000 }],
    },
    {
      name: "sleep and timeout",
      unit: "bytes",
      targets: [{ peer: "ours", below: 45_000 }],
    },
  ],
  modules,
};

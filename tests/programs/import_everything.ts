// Says how often the import of everything has looked at Node's process.
let looks = 0;
const { get } = Object.getOwnPropertyDescriptor(globalThis, "process")!;
Object.defineProperty(globalThis, "process", {
  get() {
    looks++;
    return get!.call(globalThis);
  },
});
await import("@asyncio/asyncio");
console.log(looks);

// Too much for a bundler to put it where it is called.
export function helper(n: number): number {
  for (let turn = 0; turn < 3; turn++) n += Number(process.argv.length);
  return n > 3 ? helper(n - 100) : n;
}

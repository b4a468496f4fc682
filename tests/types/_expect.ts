/** Whether two types are the very same, and no `any` for something else. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Does not compile unless `T` is `true`. */
export function expectType<_T extends true>(): void {}

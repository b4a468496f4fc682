/**
 * The error of `new` where a call makes the objects of a class. The types of such
 * a constructor do not protect those who run without a checker.
 *
 * @param what The class, with its article.
 * @param why What an object of it belongs to.
 * @param call What makes one.
 */
export function refusedNew(
  what: string,
  why: string,
  call: string,
): TypeError {
  return new TypeError(
    `Cannot create ${what} with 'new' as ${why}: call ${call}`,
  );
}

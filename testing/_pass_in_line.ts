/** Lets one who has come to a line pass others: who is the next is tried so. */
import type { InLine, Line } from "../loop/types.ts";

/**
 * Moves the last one up, past those who want as much as it does: one who wants
 * less than the others would not be let in before them.
 *
 * @param choose By how many places, given how many there are.
 */
export function passInLine(
  line: Line,
  last: InLine,
  choose: (most: number) => number,
): void {
  const isAlike = ({ brought }: InLine) =>
    typeof brought !== "number" || brought === last.brought;
  let most = 0;
  for (let each = last.ahead; each !== null && isAlike(each);) {
    most++;
    each = each.ahead;
  }
  if (most > 0) moveUp(line, last, choose(most));
}

function moveUp(line: Line, last: InLine, places: number): void {
  let behind: InLine | null = null;
  for (let left = places; left > 0; left--) behind = (behind ?? last).ahead;
  if (behind === null) return;
  line.remove(last);
  const { ahead } = behind;
  last.ahead = ahead;
  last.behind = behind;
  behind.ahead = last;
  if (ahead === null) line.first = last;
  else ahead.behind = last;
  line.size++;
}

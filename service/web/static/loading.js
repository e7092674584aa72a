// Reads what a part of a page shows, and says how things stand between the page and the service.
import { isRefused, isBack, isLost, over, pause } from "./connection.js";

const failures = new Map(); // Of each source that could not be read: how often in a row, and whether it is to wait.

/**
 * Reads a source and gives the answer to `take`. Where nothing answers, or it cannot be taken, calls `again` after a
 * while, each time a longer one; until then it is not asked again, whatever happens. Returns whether it was read.
 */
export async function load(source, take, again) {
  if (over.aborted || failures.get(source)?.isWaiting) {
    return false;
  }
  let answer;
  try {
    answer = await fetch(source, { signal: over });
    if (answer.ok) {
      await take(answer);
      isBack(source);
      failures.delete(source);
      return true;
    }
    isRefused(answer.status, source);
  } catch {
    isLost(source);
  }
  wait(source, answer, again);
  return false;
}

function wait(source, answer, again) {
  const { tries, isWaiting } = failures.get(source) ?? { tries: 0 };
  // Two that asked at the same time wait for one answer.
  if (isWaiting) {
    return;
  }
  const failure = { tries: tries + 1, isWaiting: true };
  failures.set(source, failure);
  setTimeout(() => {
    failure.isWaiting = false;
    again();
  }, pause(tries, answer) * 1000);
}

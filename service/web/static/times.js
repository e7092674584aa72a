// Shows times in the reader's zone; with seconds those of attempts, whose leases last seconds, and where they are young
// and nothing beside them says how long ago they were.

const YOUNG_MS = 3_600_000;

/** Writes the times within an element as the reader is used to, and leaves the exact one to be looked at. */
export function showTimes(within) {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (!Number.isNaN(at.getTime())) {
      element.title = element.dateTime;
      element.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: hasSeconds(element, at) ? "medium" : "short" });
    }
  }
}

function hasSeconds(element, at) {
  const isAlone = element.closest(".when") === null;
  return element.closest(".attempts") !== null || (isAlone && Math.abs(Date.now() - at) < YOUNG_MS);
}

showTimes(document);

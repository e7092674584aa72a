// Keeps what is asked for again and again from being asked for too often.

/**
 * A function that has something done soon, but no more often than every so many seconds, and never twice at once.
 * What answers false came to nothing, and may be done again before: it says itself when.
 * Pages that hear of a thing at the same time do not all ask at the same time.
 */
export function atMostEvery(seconds, act) {
  let last = -Infinity;
  let timer = null;
  let isActing = false;
  return function soon() {
    if (timer !== null) {
      return;
    }
    const pause = Math.max(0, last + seconds * 1000 - performance.now()) + Math.random() * 300;
    timer = setTimeout(async () => {
      timer = null;
      if (isActing) {
        soon();
        return;
      }
      isActing = true;
      last = performance.now();
      try {
        if ((await act()) === false) {
          last = -Infinity;
          clearTimeout(timer);
          timer = null;
        }
      } finally {
        isActing = false;
      }
    }, pause);
  };
}

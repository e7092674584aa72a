// The line at the top of the page that says how things stand between the page and the service.
const line = document.getElementById("connection");
const lost = new Set();
const ending = new AbortController();

/** Aborted when the page will hear no more: each part of it that asks gives up then, and whatever it has asked. */
export const over = ending.signal;

export const BUSY = "The service cannot answer now. Trying again …";

/** Says that a part of the page hears nothing at the moment, and tries again by itself. */
export function isLost(part, text = "The connection to the service is lost. Trying again …") {
  lost.add(part);
  say(text, "lost");
}

/** Says that a part of the page hears again what happens. */
export function isBack(part) {
  if (lost.delete(part) && lost.size === 0) {
    say("");
  }
}

/** Says that the page will hear no more, and what the reader can do. */
function isOver(text, { href, label } = {}) {
  // Each part of a page that asks finds it out; it is said once.
  if (over.aborted) {
    return;
  }
  say(text, "over");
  ending.abort();
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = label;
    line.append(" ", link);
  }
}

/** Says what an answer with a status other than 2xx means for the page. */
export function isRefused(status, part) {
  if (status === 401) {
    const href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    isOver("You are signed out.", { href, label: "Sign in again" });
  } else if (status === 404 || status === 410) {
    isGone();
  } else if (status === 403) {
    isOver("What this page shows is not for you any more.", { href: "/", label: "All studies" });
  } else {
    isLost(part, BUSY);
  }
}

/** Says that what the page shows was deleted, whichever part of it finds out first: of a study nothing is without it. */
export function isGone() {
  const isStudy = document.querySelector('meta[name="trimtab-study"]') !== null;
  const text = isStudy ? "This study was deleted." : "What this page shows is no longer there.";
  isOver(text, { href: "/", label: "All studies" });
}

/** Seconds for which an answer says that nothing is to be asked. */
export function retryAfter(answer) {
  return Number(answer?.headers.get("Retry-After")) || 0;
}

/** Seconds before the n-th try in a row, from 0: soon at first, never all pages at once, not before an answer says. */
export function pause(tries, answer) {
  return Math.max(retryAfter(answer) + Math.random(), Math.min(30, 2 ** tries) * (0.5 + Math.random() / 2));
}

function say(text, state = "") {
  if (over.aborted) {
    return;
  }
  line.dataset.state = state;
  line.textContent = text;
  line.hidden = !text;
}

// The line at the top of the page that says how things stand between the page and the service.
const line = document.getElementById("connection");
const lost = new Set();

/** Says that a part of the page hears nothing at the moment, and tries again by itself. */
export function isLost(part) {
  lost.add(part);
  say("The connection to the service is lost. Trying again …", "lost");
}

/** Says that a part of the page hears again what happens. */
export function isBack(part) {
  if (lost.delete(part) && lost.size === 0) {
    say("");
  }
}

/** Says that the page will hear no more, and what the reader can do. */
export function isOver(text, { href, label } = {}) {
  // Each part of a page that asks finds it out; it is said once.
  if (line.dataset.state === "over") {
    return;
  }
  say(text, "over");
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = label;
    line.append(" ", link);
  }
}

/** Says what an answer with a status other than 2xx means for the page; returns whether to try again. */
export function goesOn(status, part) {
  if (status === 401) {
    const href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    isOver("You are signed out.", { href, label: "Sign in again" });
    return false;
  }
  if (status === 403 || status === 404 || status === 410) {
    isOver("What this page shows is no longer there.", { href: "/", label: "All studies" });
    return false;
  }
  isLost(part);
  return true;
}

/** Seconds before the n-th try in a row, from 0: soon at first, never all pages at once. */
export function pause(tries) {
  return Math.min(30, 2 ** tries) * (0.5 + Math.random() / 2);
}

function say(text, state = "") {
  if (line.dataset.state === "over") {
    return;
  }
  line.dataset.state = state;
  line.textContent = text;
  line.hidden = !text;
}

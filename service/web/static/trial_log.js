// Follows what a training writes, line by line, until there will be no more.
import { isRefused, isBack, isLost, over, pause } from "./connection.js";
import { Place } from "./places.js";

const WAIT_SECONDS = 25; // The service answers earlier where there are lines.
const CROWDED_WAIT_SECONDS = 1; // Where other pages of the browser need the connection more (places.js).
const CROWDED_MS = 4000; // Between two such questions.
const MOST_LINES = 2000; // More than anybody reads; the service has them.
const HIDDEN_MS = 2000;

const log = document.getElementById("log");
const place = new Place();
let polling = null;
const { source } = log.dataset;
let { next } = log.dataset;

log.scrollTop = log.scrollHeight;
over.addEventListener("abort", giveUp);
if (next) {
  follow();
}

async function follow() {
  for (let tries = 0; next && !over.aborted; ) {
    if (document.hidden) {
      place.leave();
      await after(HIDDEN_MS);
      continue;
    }
    polling = new AbortController();
    let answer;
    try {
      const isShort = place.isCrowded;
      answer = await asked(isShort);
      if (answer.ok) {
        isBack("log");
        tries = 0;
        const page = await answer.json();
        add(page.items);
        next = page.next;
        if (isShort) {
          await after(CROWDED_MS);
        }
        continue;
      }
      isRefused(answer.status, "log");
    } catch {
      if (polling.signal.aborted) {
        continue; // Nothing is lost: it was given up.
      }
      isLost("log");
    }
    await after(pause(tries++, answer) * 1000);
  }
  place.leave();
}

/** Returns the answer to the question what comes next, which the service takes its time for if nobody else needs it. */
function asked(isShort) {
  if (!isShort) {
    place.take(giveUp);
  }
  const wait = isShort ? CROWDED_WAIT_SECONDS : WAIT_SECONDS;
  return fetch(`${source}?wait=${wait}&limit=1000&cursor=${encodeURIComponent(next)}`, { signal: polling.signal });
}

function giveUp() {
  polling?.abort();
}

/** Adds lines. Who reads at the end goes on reading there. */
function add(lines) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 20;
  for (const { text, left_out: leftOut, attempt } of lines) {
    if (leftOut) {
      log.append(row(`${leftOut} lines are not shown here`, "quiet"));
    }
    log.append(row(text, "", `attempt ${attempt}`));
  }
  while (log.children.length > MOST_LINES) {
    log.firstElementChild.remove();
  }
  if (lines.length) {
    log.hidden = false;
    document.getElementById("log-empty").hidden = true;
  }
  if (isAtEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

function row(text, kind, title = "") {
  const item = document.createElement("li");
  item.className = kind;
  item.title = title;
  const isolated = document.createElement("bdi");
  isolated.textContent = text;
  item.append(isolated);
  return item;
}

function after(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

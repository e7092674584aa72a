// Follows what a training writes, line by line, until there will be no more.
import { isRefused, isBack, isLost, over, pause } from "./connection.js";

const WAIT_SECONDS = 25; // The service answers earlier where there are lines.
const MOST_LINES = 2000; // More than anybody reads; the service has them.
const HIDDEN_MS = 2000;

const log = document.getElementById("log");
const { source } = log.dataset;
let { next } = log.dataset;

log.scrollTop = log.scrollHeight;
if (next) {
  follow();
}

async function follow() {
  for (let tries = 0; next && !over.aborted; ) {
    if (document.hidden) {
      await after(HIDDEN_MS);
      continue;
    }
    let answer;
    try {
      answer = await fetch(`${source}?wait=${WAIT_SECONDS}&limit=1000&cursor=${encodeURIComponent(next)}`, { signal: over });
      if (answer.ok) {
        isBack("log");
        tries = 0;
        const page = await answer.json();
        add(page.items);
        next = page.next;
        continue;
      }
      isRefused(answer.status, "log");
    } catch {
      isLost("log");
    }
    await after(pause(tries++, answer) * 1000);
  }
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

// Hears what happens in a study and tells the scripts of its page.
//
// A page that shows a study has in its head:
//   <meta name="trimtab-study" content="{{ study.name }}" data-last="{{ study.counts.finished }}">
//   <script type="module" src="{{ asset('live.js') }}"></script>
// (data-last: how many trials had ended in what the page shows; those that ended since come first.)
//
// Other scripts of the page are modules too, and listen on document, when they are loaded:
//   document.addEventListener("trimtab:trial", (event) => show(event.detail));
//   trimtab:study    detail: the study     GET /v1/studies/{name}              at first, and when state or counts change
//   trimtab:trial    detail: a trial       as in GET /v1/studies/{name}/trials when it begins, and when it has ended
//   trimtab:report   detail: a report      {number, attempt, step, metrics, verdict} of a trial that runs
//   trimtab:deleted  detail: {}            the study is gone
// The first three are those of GET /v1/studies/{name}/events. A trial may be told of twice: what is shown is replaced.
// After a lost connection, or when a hidden page is looked at again, the running trials are told of anew.
//
// Modules import each other by a relative path: import { isLost } from "./connection.js". What they show of times that
// they write themselves: import { showTimes } from "./times.js".
import { goesOn, isBack, isLost, isOver, pause } from "./connection.js";
import { events } from "./server_sent.js";

const HIDDEN_SECONDS = 10; // Before nobody is taken to look; a change between two windows is shorter.
const SILENT_SECONDS = 40; // The service gives a sign of life every 15 s.

const meta = document.querySelector('meta[name="trimtab-study"]');
let last = meta?.dataset.last ?? null;
let connection = null;
let isEnded = false;
let tries = 0;
let next = null;
let leaving = null;

if (meta) {
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : come()));
  window.addEventListener("online", come);
  // Not before all scripts of the page listen.
  document.addEventListener("DOMContentLoaded", come);
}

function come() {
  clearTimeout(leaving);
  if (connection || isEnded || document.hidden) {
    return;
  }
  clearTimeout(next);
  hear();
}

function leave() {
  leaving = setTimeout(() => {
    clearTimeout(next);
    connection?.abort();
  }, HIDDEN_SECONDS * 1000);
}

/** Holds one connection, until it ends. */
async function hear() {
  const mine = (connection = new AbortController());
  const watchdog = { timer: null };
  const alive = () => {
    clearTimeout(watchdog.timer);
    watchdog.timer = setTimeout(() => mine.abort(), SILENT_SECONDS * 1000);
  };
  alive();
  try {
    await listen(mine.signal, alive);
  } catch {
    if (!document.hidden) {
      isLost("live");
    }
  }
  clearTimeout(watchdog.timer);
  connection = null;
  if (!isEnded && !document.hidden) {
    next = setTimeout(come, pause(tries++) * 1000);
  }
}

/** Tells what is heard, until there is no more for now. */
async function listen(signal, alive) {
  const headers = last === null ? {} : { "Last-Event-ID": last };
  const answer = await fetch(`/v1/studies/${encodeURIComponent(meta.content)}/events`, { headers, signal });
  if (!answer.ok) {
    isEnded = !goesOn(answer.status, "live");
    return;
  }
  for await (const event of events(answer.body, alive)) {
    isBack("live");
    tries = 0;
    take(event);
  }
}

function take({ type, id, data }) {
  last = id ?? last;
  const detail = JSON.parse(data);
  if (type === "study") {
    isEnded = ["complete", "stopped"].includes(detail.state) && detail.counts.running === 0;
  } else if (type === "deleted") {
    isEnded = true;
    isOver("This study was deleted.", { href: "/", label: "All studies" });
  }
  document.dispatchEvent(new CustomEvent(`trimtab:${type}`, { detail }));
}

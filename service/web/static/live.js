// Hears what happens in a study and tells the scripts of its page.
//
// A page that shows a study has in its head:
//   <meta name="trimtab-study" content="{{ study.name }}" data-last="{{ study.counts.finished }}">
//   <script type="module" src="{{ asset('live.js') }}"></script>
// (data-last: how many trials had ended in what the page shows; those that ended since come first. Without it nothing
// that the page shows will change: it is asked alone whether the study, the session and the service are there.)
//
// Other scripts of the page are modules too, and listen on document, when they are loaded:
//   document.addEventListener("trimtab:trial", (event) => show(event.detail));
//   trimtab:study    detail: the study     GET /v1/studies/{name}              at first, and when state or counts change
//   trimtab:trial    detail: a trial       as in GET /v1/studies/{name}/trials when it begins, and when it has ended
//   trimtab:report   detail: a report      {number, attempt, step, metrics, verdict} of a trial that runs
// They are those of GET /v1/studies/{name}/events. A trial may be told of twice: what is shown is replaced.
// After a lost connection, or when a hidden page is looked at again, the running trials are told of anew.
// Of a study that has ended the service tells nothing: it is asked for every few seconds, until it goes on.
// Where other pages of the browser need the connection more (places.js), a study is listened to for a moment only, again
// and again.
//
// Modules import each other by a relative path: import { isLost } from "./connection.js". What they show of times that
// they write themselves: import { showTimes } from "./times.js".
import { isBack, isGone, isLost, isRefused, over, pause, retryAfter } from "./connection.js";
import { Place } from "./places.js";
import { events } from "./server_sent.js";
import "./tabs.js";

const HIDDEN_SECONDS = 10; // Before nobody is taken to look; a change between two windows is shorter.
const SILENT_SECONDS = 40; // The service gives a sign of life every 15 s.
const LOOK_SECONDS = 4; // Between two looks at a study that has ended, or two moments.
const MOMENT_SECONDS = 1; // From the first event: what was missed comes at once.

const meta = document.querySelector('meta[name="trimtab-study"]');
const address = `/v1/studies/${encodeURIComponent(meta?.content ?? "")}`;
const isStill = meta?.dataset.last === undefined;
let last = meta?.dataset.last ?? null;
const place = new Place();
let connection = null;
let isGivenUp = false; // The connection, to other pages.
let study = null; // As it was told last.
let isEnded = isStill; // For now: it may be given more budget.
let tries = 0; // In a row that came to nothing.
let refused = null; // What the last of them was answered.
let notBefore = 0;
let next = null;
let leaving = null;

if (meta) {
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : come()));
  window.addEventListener("online", come);
  over.addEventListener("abort", () => connection?.abort());
  // Not before all scripts of the page listen.
  document.addEventListener("DOMContentLoaded", come);
}

function come() {
  clearTimeout(leaving);
  clearTimeout(next);
  if (connection || over.aborted || document.hidden) {
    return;
  }
  const early = notBefore - performance.now();
  if (early > 0) {
    next = setTimeout(come, early);
  } else {
    hear();
  }
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
  tries += 1;
  refused = null;
  isGivenUp = false;
  try {
    await (isEnded ? look(mine.signal) : listen(mine.signal, alive));
  } catch {
    if (!document.hidden && !isGivenUp) {
      isLost("live");
    }
  }
  clearTimeout(watchdog.timer);
  place.leave();
  connection = null;
  notBefore = performance.now() + 1000 * retryAfter(refused);
  const isInTurn = (isEnded && tries === 0) || isGivenUp;
  next = setTimeout(come, 1000 * (isInTurn ? LOOK_SECONDS + Math.random() : pause(Math.max(0, tries - 1), refused)));
}

/** Tells what is heard, until there is no more for now, or the connection is given up. */
async function listen(signal, alive) {
  const isShort = place.isCrowded;
  if (!isShort) {
    place.take(giveUp);
  }
  const answer = await asked("/events", { headers: last === null ? {} : { "Last-Event-ID": last }, signal });
  if (!answer) {
    return;
  }
  if (isShort) {
    setTimeout(() => signal === connection?.signal && giveUp(), MOMENT_SECONDS * 1000);
  }
  for await (const event of events(answer.body, alive)) {
    take(event);
  }
}

/** Ends the connection, which nobody misses: what happens meanwhile is told when there is one again. */
function giveUp() {
  isGivenUp = true;
  connection?.abort();
}

/** Looks once whether a study that has ended is as it was told last. */
async function look(signal) {
  const answer = await asked("", { signal });
  if (answer) {
    take({ type: "study", data: await answer.text() });
  }
}

/** Returns the answer to a question about the study; null: there was none. */
async function asked(what, options) {
  const answer = await fetch(address + what, options);
  if (answer.ok) {
    return answer;
  }
  refused = answer;
  isRefused(answer.status, "live");
  return null;
}

function take({ type, id, data }) {
  if (over.aborted) {
    return; // Of what came at once, the rest.
  }
  isBack("live");
  tries = 0;
  last = id ?? last;
  const detail = JSON.parse(data);
  if (type === "deleted" || (type === "study" && study && study.created_at !== detail.created_at)) {
    isGone(); // Whatever has its name by now is another one.
    return;
  }
  if (type === "study") {
    if (JSON.stringify(study) === JSON.stringify(detail)) {
      return;
    }
    study = detail;
    isEnded = isStill || (["complete", "stopped"].includes(detail.state) && detail.counts.running === 0);
  }
  document.dispatchEvent(new CustomEvent(`trimtab:${type}`, { detail }));
}

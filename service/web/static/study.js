// Keeps the words and figures of a study's page alive; its pictures keep themselves.
import { load } from "./loading.js";
import { morph } from "./morph.js";
import { atMostEvery } from "./pace.js";
import { showTimes } from "./times.js";

const OFTEN_SECONDS = 3; // After what matters at once: a better trial, another state.
const SELDOM_SECONDS = 15; // After any trial: the doctor may see something else.

const name = document.querySelector('meta[name="trimtab-study"]').content;
const now = atMostEvery(OFTEN_SECONDS, renew);
const sometime = atMostEvery(SELDOM_SECONDS, renew);
let facts = null;

document.addEventListener("trimtab:study", ({ detail: study }) => {
  showCounts(study);
  showActions(study.state);
  const known = JSON.stringify([study.state, study.reason, study.closing, study.spec.budget, study.alarms, study.warnings, study.children]);
  // Of what the page was made with it knows the state alone; it may have changed since.
  const isOld = facts === null ? study.state !== document.querySelector("[data-fact=state]").textContent : facts !== known;
  if (isOld) {
    now();
  }
  facts = known;
});

document.addEventListener("trimtab:trial", ({ detail: trial }) => {
  const isFirst = trial.state === "running" && document.querySelector('[data-part="head"] .unserved');
  if (isFirst || (trial.state === "complete" && isBetter(trial))) {
    now();
  } else if (trial.state !== "running") {
    sometime();
  }
});

// The final model of a study comes while nothing happens in the study itself.
setInterval(() => {
  if (!document.hidden && document.querySelector('[data-final="coming"]')) {
    sometime();
  }
}, SELDOM_SECONDS * 1000);

function showCounts({ counts, used, spec }) {
  for (const element of document.querySelectorAll("[data-count]")) {
    element.textContent = counts[element.dataset.count];
  }
  for (const limit of ["trials", "epochs"]) {
    const element = document.querySelector(`[data-used="${limit}"]`);
    if (element && spec.budget[limit] !== null) {
      element.textContent = used[limit];
      element.closest("tr").querySelector("progress").value = used[limit];
    }
  }
}

function showActions(state) {
  for (const button of document.querySelectorAll("[data-when]")) {
    button.hidden = !button.dataset.when.split(" ").includes(state);
  }
}

/** Whether a trial is better than the best one shown; with several objectives any may be. */
function isBetter(trial) {
  const shown = document.querySelector("[data-best]");
  if (!shown) {
    return true;
  }
  const [value] = Object.values(trial.values);
  return shown.dataset.direction === "minimize" ? value < shown.dataset.best : value > shown.dataset.best;
}

function renew() {
  return load(`/fragments/studies/${encodeURIComponent(name)}`, show, now);
}

async function show(answer) {
  const html = await answer.text();
  const wanted = document.createElement("template");
  // Of our own service, where a template has escaped whatever came from elsewhere; scripts within would not run.
  wanted.innerHTML = html;
  showTimes(wanted.content);
  for (const part of wanted.content.querySelectorAll("[data-part]")) {
    const shown = document.querySelector(`main [data-part="${part.dataset.part}"]`);
    if (shown) {
      morph(shown, part);
    }
  }
}

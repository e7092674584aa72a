// The learning curves of a study: read once, then kept alive by what the service tells.
import { drawCurves, inWords } from "./curves_picture.js";
import { inItsWidth } from "./chart.js";
import { atMostEvery } from "./pace.js";
import { curvesTable } from "./curves_table.js";
import { load } from "./loading.js";

const AGAIN_SECONDS = 15; // The bound and the choice of curves move slowly.

const section = document.querySelector("[data-curves]");
const host = section.querySelector("[data-picture]");
const details = section.querySelector("details");
const source = section.dataset.curves;
let picture = null;
let curves = new Map();

const redraw = atMostEvery(0.3, draw);
const reload = atMostEvery(AGAIN_SECONDS, renew);

document.addEventListener("trimtab:report", ({ detail: report }) => {
  if (picture && picture.metric in report.metrics) {
    take(report);
    redraw();
  }
});
document.addEventListener("trimtab:trial", ({ detail: trial }) => {
  const curve = curves.get(trial.number);
  if (curve) {
    curve.state = trial.state;
    redraw();
  }
  // One that runs is told of anew where reports of it may have been missed.
  if (trial.state !== "running" || curve?.steps.at(-1) < trial.step) {
    reload();
  }
});
details.addEventListener("toggle", showTable);
inItsWidth(host, draw);
await renew();

function renew() {
  return load(source, show, reload);
}

async function show(answer) {
  picture = await answer.json();
  curves = new Map(picture.curves.map((curve) => [curve.number, curve]));
  draw();
}

/** Adds the report of a trial that runs to its curve. Where a later attempt begins, the curve is cut. */
function take({ number, step, metrics }) {
  const curve = curves.get(number) ?? { number, state: "running", steps: [], values: [] };
  const kept = curve.steps.findIndex((each) => each >= step);
  if (kept >= 0) {
    curve.steps.length = curve.values.length = kept;
  }
  curve.steps.push(step);
  curve.values.push(metrics[picture.metric]);
  curves.set(number, curve);
}

function draw() {
  if (!picture) {
    return;
  }
  const shown = [...curves.values()];
  section.querySelector("[data-note]").textContent = inWords(picture, shown.length);
  details.hidden = shown.length === 0;
  const reason = nothing(shown);
  host.classList.toggle("empty", reason !== null);
  if (reason) {
    host.textContent = reason;
  } else {
    drawCurves(host, section.querySelector("[data-readout]"), picture, shown, section.dataset.trials);
  }
  showTable();
}

/** Why there is nothing to draw; null: there is. */
function nothing(shown) {
  if (shown.length === 0) {
    return "No trial has reported anything: the curve of a trial begins with its first report.";
  }
  const isFinite = shown.some(({ values }) => values.some((value) => value !== null));
  return isFinite ? null : `Nothing to draw: no ${picture.metric} that was reported is finite.`;
}

function showTable() {
  if (details.open && picture) {
    const table = curvesTable(picture, [...curves.values()], section.dataset.trials);
    section.querySelector("[data-table]").replaceChildren(table);
  }
}

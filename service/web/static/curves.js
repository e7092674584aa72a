// The learning curves of a study: read once, then kept alive by what the service tells.
import { drawCurves, inWords } from "./curves_picture.js";
import { inItsWidth } from "./chart.js";
import { goesOn, isBack, isLost } from "./connection.js";
import { atMostEvery } from "./pace.js";
import { curvesTable } from "./curves_table.js";

const AGAIN_SECONDS = 15; // The bound and the choice of curves move slowly.

const section = document.querySelector("[data-curves]");
const host = section.querySelector("[data-picture]");
const details = section.querySelector("details");
const source = section.dataset.curves;
let picture = null;
let curves = new Map();

const redraw = atMostEvery(0.3, draw);
const reload = atMostEvery(AGAIN_SECONDS, load);

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
  if (trial.state !== "running") {
    reload();
  }
});
details.addEventListener("toggle", showTable);
inItsWidth(host, draw);
await load();

async function load() {
  try {
    const answer = await fetch(source);
    if (!answer.ok) {
      goesOn(answer.status, source);
      return;
    }
    isBack(source);
    picture = await answer.json();
    curves = new Map(picture.curves.map((curve) => [curve.number, curve]));
    draw();
  } catch {
    isLost(source);
    reload();
  }
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
  if (shown.length === 0) {
    host.textContent = "No trial has reported yet.";
    host.classList.add("empty");
    return;
  }
  drawCurves(host, section.querySelector("[data-readout]"), picture, shown, section.dataset.trials);
  showTable();
}

function showTable() {
  if (details.open && picture) {
    const table = curvesTable(picture, [...curves.values()], section.dataset.trials);
    section.querySelector("[data-table]").replaceChildren(table);
  }
}

// The pictures of one trial: what it reported against its steps, beside the best trial; kept alive while it runs.
import { drawTrial } from "./trial_picture.js";
import { inItsWidth } from "./chart.js";
import { load } from "./loading.js";
import { atMostEvery } from "./pace.js";

const trial = document.getElementById("trial");
const data = JSON.parse(document.getElementById("curve-data").textContent);
const figures = [...document.querySelectorAll("[data-metrics]")];
const { source } = document.getElementById("pictures").dataset;
const redraw = atMostEvery(0.3, () => figures.forEach((figure) => figure.draw()));
const reread = atMostEvery(1, () => load(source, catchUp, reread));

for (const figure of figures) {
  const host = document.createElement("div");
  const told = document.createElement("p");
  host.className = "picture";
  told.className = "note";
  told.setAttribute("role", "status");
  figure.append(host, told);
  figure.draw = () => drawTrial(host, told, data, figure.dataset.metrics.split(" "), Number(figure.dataset.height));
  inItsWidth(host, figure.draw);
}

document.addEventListener("trimtab:report", ({ detail: report }) => {
  if (report.number !== data.number) {
    return;
  }
  if (!figures.length) {
    location.reload(); // Which pictures there are, the first report says.
    return;
  }
  take(report);
  redraw();
});
document.addEventListener("trimtab:trial", ({ detail }) => {
  const { state, attempts } = trial.dataset;
  if (detail.number !== data.number) {
    return;
  }
  if (detail.state !== state || detail.attempts !== Number(attempts)) {
    location.reload();
  } else if ((data.curve.steps.at(-1) ?? 0) < detail.step) {
    reread(); // A connection has begun: nobody told what was reported before.
  }
});

/** Takes the curve as it was read, and what was told of meanwhile. */
async function catchUp(answer) {
  const read = await answer.json();
  const told = data.curve;
  data.curve = read;
  const last = read.steps.at(-1) ?? 0;
  told.steps.forEach((step, place) => {
    if (step > last) {
      take({ step, metrics: Object.fromEntries(Object.entries(told.metrics).map(([name, values]) => [name, values[place]])) });
    }
  });
  redraw();
}

/** Adds what a running trial reported. Where a later attempt goes on from, the curve is cut. */
function take({ step, metrics }) {
  const { curve } = data;
  const kept = curve.steps.findIndex((each) => each >= step);
  const length = kept < 0 ? curve.steps.length : kept;
  curve.steps.length = length;
  curve.steps.push(step);
  for (const [name, values] of Object.entries(curve.metrics)) {
    values.length = length;
    values.push(metrics[name] ?? null);
  }
}

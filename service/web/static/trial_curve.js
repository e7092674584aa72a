// The pictures of one trial: what it reported against its steps, beside the best trial; kept alive while it runs.
import { drawTrial } from "./trial_picture.js";
import { inItsWidth } from "./chart.js";
import { atMostEvery } from "./pace.js";

const trial = document.getElementById("trial");
const data = JSON.parse(document.getElementById("curve-data").textContent);
const figures = [...document.querySelectorAll("[data-metrics]")];
const redraw = atMostEvery(0.3, () => figures.forEach((figure) => figure.draw()));

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
  if (detail.number === data.number && (detail.state !== state || detail.attempts !== Number(attempts))) {
    location.reload();
  }
});

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

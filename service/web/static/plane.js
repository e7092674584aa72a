// Bias and variance of the complete trials: each a dot, and the box of those that suffer from neither.
import { axes, drawn, inItsWidth, span } from "./chart.js";
import { load } from "./loading.js";
import { count, number } from "./numbers.js";
import { atMostEvery } from "./pace.js";
import { pickable } from "./picked.js";
import { readout } from "./readout.js";

const AGAIN_SECONDS = 30;

const section = document.querySelector("[data-plane]");
const host = section.querySelector("[data-picture]");
const told = section.querySelector("[data-readout]");
const source = section.dataset.plane;
let plane = null;

const reload = atMostEvery(AGAIN_SECONDS, renew);
document.addEventListener("trimtab:trial", ({ detail: trial }) => trial.state === "complete" && reload());
inItsWidth(host, draw);
await renew();

function renew() {
  return load(source, show, reload);
}

async function show(answer) {
  plane = await answer.json();
  // Where trials do not tell both errors there is no plane.
  section.hidden = plane.dots.length === 0;
  draw();
}

function draw() {
  if (!plane || section.hidden) {
    return;
  }
  const { dots, tolerance } = plane;
  const chart = axes(host, {
    x: { label: "bias", ...around(dots, "bias") },
    y: { label: "variance", ...around(dots, "variance") },
    label: `Bias and variance of ${dots.length} complete trials. The trials' own pages have the figures.`,
  });
  const [left, right, top, bottom] = [chart.x(-tolerance), chart.x(tolerance), chart.y(tolerance), chart.y(-tolerance)];
  chart.plot.append(
    drawn("rect", { class: "tolerance", x: left, y: top, width: right - left, height: bottom - top }),
    drawn("path", { class: "zero", d: `M${chart.x(0)} ${bottom}V${top}M${left} ${chart.y(0)}H${right}` }),
    ...dots.map((dot) => mark(dot, chart)),
  );
  const raised = drawn("g", { class: "picked" });
  chart.plot.append(raised);
  section.querySelector("[data-note]").textContent = inWords();
  pickable(chart.svg, {
    places: dots.map((dot) => ({ at: [chart.x(dot.bias), chart.y(dot.variance)], item: dot })),
    items: [...dots].sort((one, other) => one.number - other.number),
    show: (dot) => {
      raised.replaceChildren(...(dot ? [mark(dot, chart)] : []));
      readout(told, dot && { href: address(dot), label: `Trial ${dot.number}`, text: said(dot) });
    },
    open: (dot) => location.assign(address(dot)),
  });
}

function address(dot) {
  return `${section.dataset.trials}${dot.number}`;
}

/** The ends of an axis on which zero and the box of tolerance are seen too. */
function around(dots, name) {
  const room = plane.tolerance * 1.5;
  const found = span([...dots.map((dot) => dot[name]), -room, room]);
  return { ...found, from: Math.min(found.from, -room) };
}

function mark(dot, { x, y }) {
  const [at, up] = [x(dot.bias), y(dot.variance)];
  if (dot.number === plane.best) {
    return drawn("path", { class: "dot best", d: `M${at} ${up - 8}l8 8l-8 8l-8 -8z` });
  }
  return drawn("circle", { class: `dot ${dot.conditions.length ? "ill" : "well"}`, cx: at, cy: up, r: 3.5 });
}

function said({ bias, variance, conditions }) {
  const ills = conditions.length ? conditions.join(" and ").replaceAll("_", " ") : "neither is high";
  return `bias ${number(bias)}, variance ${number(variance)} · ${ills}`;
}

function inWords() {
  const { dots, trials, tolerance, target_error: target } = plane;
  const some = dots.length < trials ? `${count(dots.length)} of ${count(trials)} complete trials. ` : "";
  const axes = `Bias: training error above the target of ${number(target)}; variance: error on what was held out above that. `;
  return `${some}${axes}In the box, up to ${number(tolerance)}, neither is high beyond the tolerance; filled dots: nor beyond their own noise. The diamond is the best trial.`;
}

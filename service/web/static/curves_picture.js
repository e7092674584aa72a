// Draws learning curves: those that were stopped thin and grey, those that run with a dot, the best one bold.
import { axes, drawn, line, span } from "./chart.js";
import { count, number } from "./numbers.js";
import { pickable } from "./picked.js";
import { readout } from "./readout.js";

const ORDER = ["pruned", "fail", "complete", "running"];
const IN_WORDS = { fail: "failed", running: "running", complete: "complete", pruned: "pruned" };

let picked = null; // The number of a trial: a picture that is drawn anew while somebody looks keeps it.

/** Draws the curves into an element; what is picked is told in another one. */
export function drawCurves(host, told, picture, curves, trials) {
  const ordered = [...curves].sort((one, other) => place(one, picture) - place(other, picture));
  const chart = axes(host, {
    x: { label: "step", from: 0, to: Math.max(1, ...curves.map((curve) => curve.steps.at(-1))) * 1.02, isWhole: true },
    y: { label: picture.metric, ...span(finite(picture, curves), { mayBeLog: true }) },
    label: `Learning curves: ${picture.metric} by step. The table below has the same in figures.`,
  });
  for (const curve of ordered) {
    chart.plot.append(...marks(curve, kind(curve, picture), chart));
  }
  if (picture.bound) {
    const { steps, values } = picture.bound;
    chart.plot.append(drawn("path", { class: "curve bound", d: line(steps, values, chart) }));
    if (steps.length === 1) {
      chart.plot.append(drawn("circle", { class: "end bound", cx: chart.x(steps[0]), cy: chart.y(values[0]), r: 4 }));
    }
  }
  host.append(legend(picture, curves));
  const raised = drawn("g", { class: "picked" });
  chart.plot.append(raised);
  pickable(chart.svg, {
    places: ordered.flatMap((curve) => spots(curve, chart)),
    items: [...curves].sort((one, other) => one.number - other.number),
    first: curves.find((curve) => curve.number === picked) ?? null,
    show: (curve) => {
      picked = curve?.number ?? null;
      raised.replaceChildren(...(curve ? marks(curve, kind(curve, picture), chart) : []));
      readout(told, curve && { href: `${trials}${curve.number}`, label: `Trial ${curve.number}`, text: said(curve, picture) });
    },
    open: (curve) => location.assign(`${trials}${curve.number}`),
  });
}

/** What a picture shows, and what it leaves out. */
export function inWords({ trials, bound, saved_steps: saved }, shown) {
  const words = [];
  if (shown < trials) {
    words.push(`${count(shown)} of ${count(trials)} trials are drawn: the best, those that run, and others from the best to the worst.`);
  }
  if (bound) {
    words.push(`Dashed: the ${bound.measure} of the complete trials. A trial whose best value so far is worse is stopped.`);
  }
  if (saved) {
    words.push(`Stopping trials early saved about ${count(saved)} steps that were never trained, had they gone on as far as complete ones.`);
  }
  return words.join(" ");
}

function place(curve, picture) {
  return curve.number === picture.best ? ORDER.length : ORDER.indexOf(curve.state);
}

function kind(curve, picture) {
  return curve.number === picture.best ? "best" : curve.state;
}

function marks({ steps, values }, kind, chart) {
  const found = [drawn("path", { class: `curve ${kind}`, d: line(steps, values, chart) })];
  const last = values.findLastIndex((value) => value !== null);
  if (last < 0) {
    return found;
  }
  const [x, y] = [chart.x(steps[last]), chart.y(values[last])];
  if (kind === "fail") {
    found.push(drawn("path", { class: "end fail", d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }));
  } else if (kind === "running" || kind === "best" || values.length === 1) {
    found.push(drawn("circle", { class: `end ${kind}`, cx: x, cy: y, r: kind === "pruned" ? 2 : 4 }));
  }
  return found;
}

function spots(curve, chart) {
  return curve.steps.flatMap((step, at) =>
    curve.values[at] === null ? [] : [{ at: [chart.x(step), chart.y(curve.values[at])], item: curve }],
  );
}

function finite(picture, curves) {
  const values = [...curves.flatMap((curve) => curve.values), ...(picture.bound?.values ?? [])];
  return values.filter((value) => value !== null);
}

function said({ state, steps, values }, picture) {
  return `${IN_WORDS[state]} · ${picture.metric} ${number(values.at(-1))} at step ${steps.at(-1)}`;
}

function legend(picture, curves) {
  const list = document.createElement("ul");
  list.className = "kinds";
  const kinds = new Set(curves.map((curve) => kind(curve, picture)));
  for (const each of ["best", "running", "complete", "pruned", "fail", ...(picture.bound ? ["bound"] : [])]) {
    if (each === "bound" || kinds.has(each)) {
      const item = document.createElement("li");
      const sample = drawn("svg", { width: 28, height: 10, "aria-hidden": "true" });
      sample.append(drawn("path", { class: `curve ${each}`, d: "M1 5L27 5" }));
      item.append(sample, each === "bound" ? picture.bound.measure : (IN_WORDS[each] ?? each));
      list.append(item);
    }
  }
  return list;
}

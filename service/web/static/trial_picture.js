// Draws some metrics of a trial against its steps; where there is one, the best trial's beside the first of them.
import { axes, drawn, line, span } from "./chart.js";
import { number } from "./numbers.js";
import { pickable } from "./picked.js";

const FEW = 24; // Points that are each marked.

/**
 * Draws into an element; what is picked is told in another one.
 * data: { curve, best, resumed }, with curves of { steps, metrics }; names: of the metrics.
 */
export function drawTrial(host, told, data, names, height) {
  const lines = linesOf(data, names);
  const values = lines.flatMap((each) => each.values).filter((value) => value !== null);
  const { steps } = data.curve;
  const last = Math.max(...lines.map((each) => each.steps.at(-1) ?? 1), 1);
  const chart = axes(host, {
    x: { label: "step", from: 0, to: last * 1.02 + 0.1, isLog: false, ticks: whole },
    y: { label: "", ...span(values, { mayBeLog: true }) },
    label: `${names.join(", ")} by step. The table below has the same in figures.`,
    height,
  });
  const [top, bottom] = [10, height - 42];
  for (const step of data.resumed) {
    const x = chart.x(step + 0.5);
    chart.plot.append(drawn("line", { class: "resumed", x1: x, x2: x, y1: top, y2: bottom }));
  }
  for (const each of lines) {
    chart.plot.append(...marks(each, chart));
  }
  const rule = drawn("line", { class: "resumed", y1: top, y2: bottom, visibility: "hidden" });
  chart.plot.append(rule);
  if (lines.length > 1 || data.resumed.length) {
    host.append(legend(lines, data.resumed));
  }
  pickable(chart.svg, {
    places: lines.flatMap((each) => spots(each, chart)),
    items: steps,
    first: host.picked ?? null,
    show: (step) => {
      host.picked = step; // For the next drawing.
      rule.setAttribute("visibility", step === null ? "hidden" : "visible");
      rule.setAttribute("x1", chart.x(step ?? 0));
      rule.setAttribute("x2", chart.x(step ?? 0));
      told.textContent = step === null ? "" : said(lines, step);
    },
    open: () => {},
  });
}

function whole(step) {
  return Number.isInteger(step) ? String(step) : "";
}

function linesOf({ curve, best }, names) {
  const own = names.map((name, place) => ({ label: name, kind: `metric${place}`, steps: curve.steps, values: curve.metrics[name] ?? [] }));
  const rival = best?.metrics[names[0]];
  return rival ? [...own, { label: `${names[0]} of the best, trial ${best.number}`, kind: "rival", steps: best.steps, values: rival }] : own;
}

function marks({ kind, steps, values }, chart) {
  const found = [drawn("path", { class: `metric ${kind}`, d: line(steps, values, chart) })];
  if (steps.length <= FEW && kind !== "rival") {
    steps.forEach((step, place) => {
      if (values[place] !== null) {
        found.push(drawn("circle", { class: `point ${kind}`, cx: chart.x(step), cy: chart.y(values[place]), r: 3 }));
      }
    });
  }
  return found;
}

function spots({ steps, values }, chart) {
  return steps.flatMap((step, place) =>
    values[place] === null ? [] : [{ at: [chart.x(step), chart.y(values[place])], item: step }],
  );
}

function said(lines, step) {
  const words = lines.flatMap(({ label, steps, values }) => {
    const place = steps.indexOf(step);
    return place < 0 ? [] : [`${label} ${values[place] === null ? "is not finite" : number(values[place])}`];
  });
  return `Step ${step}: ${words.join(", ")}`;
}

function legend(lines, resumed) {
  const list = document.createElement("ul");
  list.className = "legend";
  const items = lines.map(({ label, kind }) => [label, `metric ${kind}`]);
  if (resumed.length) {
    items.push(["went on from a checkpoint", "resumed"]);
  }
  for (const [label, kind] of items) {
    const item = document.createElement("li");
    const sample = drawn("svg", { class: "sample", viewBox: "0 0 28 10", width: 28, height: 10, "aria-hidden": "true" });
    sample.append(drawn("path", { class: kind, d: "M1 5L27 5" }));
    item.append(sample, label);
    list.append(item);
  }
  return list;
}

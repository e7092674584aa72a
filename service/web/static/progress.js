// The best value so far of a study, by trial and by time, with that of its control arm.
import { axes, drawn, inItsWidth, span } from "./chart.js";
import { load } from "./loading.js";
import { lasting, number, unitOfTime } from "./numbers.js";
import { atMostEvery } from "./pace.js";
import { table } from "./tables.js";

const AGAIN_SECONDS = 15;

const section = document.querySelector("[data-progress]");
const source = section.dataset.progress;
const [byTrials, bySeconds] = section.querySelectorAll("[data-picture]");
let progress = null;
let seconds = 0;

const reload = atMostEvery(AGAIN_SECONDS, renew);
document.addEventListener("trimtab:study", ({ detail: study }) => {
  seconds = study.used.seconds ?? 0;
  if (progress && study.counts.complete + study.counts.pruned + study.counts.fail > progress.finished) {
    reload();
  }
});
inItsWidth(byTrials, draw);
await renew();

function renew() {
  return load(source, show, reload);
}

async function show(answer) {
  progress = await answer.json();
  draw();
  section.querySelector("[data-table]").replaceChildren(steps());
}

function draw() {
  if (!progress) {
    return;
  }
  section.querySelector("[data-note]").textContent = inWords();
  bySeconds.hidden = !progress.points.some((point) => point.seconds !== null);
  section.querySelector("details").hidden = progress.points.length === 0;
  if (progress.points.length === 0) {
    byTrials.textContent = `Nothing to draw: ${progress.reason}.`;
    byTrials.classList.add("empty");
    return;
  }
  picture(byTrials, { label: "trials that have ended", isWhole: true }, (point) => point.finished, progress.finished);
  if (!bySeconds.hidden) {
    const last = Math.max(seconds, ...progress.points.map((point) => point.seconds ?? 0));
    // In one unit, so that the ticks are round in it.
    const { size, name } = unitOfTime(last);
    const axis = { label: "time since the first lease", ticks: (value) => `${number(value)} ${name}` };
    picture(bySeconds, axis, (point) => (point.seconds ?? 0) / size, last / size);
  }
}

function picture(host, axis, at, last) {
  const values = [...progress.points, ...progress.control].map((point) => point.value);
  const chart = axes(host, {
    x: { ...axis, from: 0, to: last || 1 },
    y: { label: progress.measure, ...span(values, { mayBeLog: true }) },
    label: `Best ${progress.measure} so far, by ${axis.label}. The table below has the same in figures.`,
    height: 260,
  });
  for (const [kind, points] of [["control", progress.control], ["sampled", progress.points]]) {
    if (points.length) {
      chart.plot.append(drawn("path", { class: `steps ${kind}`, d: stairs(points, at, last, chart) }));
    }
    if (points.length === 1) {
      const [only] = points; // Its line may be as short as can be.
      chart.plot.append(drawn("circle", { class: `end ${kind}`, cx: chart.x(at(only)), cy: chart.y(only.value), r: 4 }));
    }
  }
}

/** A line that keeps its height until the next better trial, and goes on to the end. */
function stairs(points, at, last, { x, y }) {
  const height = (point) => y(point.value).toFixed(1);
  const begun = `M${x(at(points[0])).toFixed(1)} ${height(points[0])}`;
  const steps = points.slice(1).map((point) => `H${x(at(point)).toFixed(1)}V${height(point)}`);
  return `${begun}${steps.join("")}H${x(last).toFixed(1)}`;
}

function inWords() {
  const { control, gain } = progress;
  const words = control.length ? ["Solid: all trials. Dashed: those of the control arm, drawn at random, alone."] : [];
  if (gain.value !== null) {
    const interval = `95 % interval ${number(gain.low)} to ${number(gain.high)}`;
    words.push(`The sampler's median trial is better than the control's by ${number(gain.value)} (${interval}; ${gain.sampled} against ${gain.control} trials).`);
  } else if (gain.control > 0) {
    words.push(`No gain of the sampler to tell yet: ${gain.reason}.`);
  }
  return words.join(" ");
}

function steps() {
  const rows = progress.points.map((point) => [
    { text: point.number, href: `${section.dataset.trials}${point.number}` },
    { text: point.finished, isFigure: true },
    { text: point.seconds === null ? "–" : lasting(point.seconds), isFigure: true },
    { text: number(point.value), isFigure: true },
  ]);
  return table(["Trial", "Ended as the n-th", "After", progress.measure], rows);
}

// Pictures with two axes, drawn as SVG in the size that there is for them. Colours and strokes are style.css's.
import { count, number } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 66, right: 14, top: 10, bottom: 42 };
const NARROWEST = 240;
const FEW = 12;
const STEPS = [1, 2, 5, 10];
const LETTER = 7.5; // Pixels of one of a tick's, or of an axis's name, at most but for few.
const NAME = 20; // Pixels that the name of an axis takes beside its ticks.
const FARTHEST = Number.MAX_VALUE / 4; // From zero: how far values are apart, and room beside them, has to be a number too.

/** An element of a picture, with attributes and maybe a text. */
export function drawn(name, attributes = {}, text = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.textContent = text;
  return element;
}

/**
 * Draws axes into an element, in place of what is there; returns what to draw with.
 * x, y: { label, from, to, isLog, isWhole: there is nothing between whole numbers, ticks: writes a tick }.
 */
export function axes(host, { x, y, label, height = 320 }) {
  const width = Math.max(NARROWEST, host.clientWidth);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  const left = Math.max(MARGIN.left, NAME + 6 + LETTER * Math.max(0, ...ticks(y, 6).map((value) => written(y, value).length)));
  const across = scale(x, left, width - MARGIN.right);
  const up = scale(y, height - MARGIN.bottom, MARGIN.top);
  const plot = drawn("g", { class: "plot" });
  const hadFocus = host.contains(document.activeElement);
  svg.append(...grid(x, y, across, up, left, width, height), plot);
  host.replaceChildren(svg);
  if (hadFocus) {
    svg.tabIndex = 0;
    svg.focus({ preventScroll: true });
  }
  return { svg, plot, x: across, y: up };
}

/** A function from values to places on the screen. */
export function scale({ from, to, isLog }, first, last) {
  const [low, high] = isLog ? [Math.log(from), Math.log(to)] : [from, to];
  return (value) => first + (((isLog ? Math.log(value) : near(value)) - low) / (high - low || 1)) * (last - first);
}

/** Round values between two, about so many. */
export function ticks({ from, to, isLog, isWhole }, most) {
  if (isLog && to / from >= 10) {
    const first = Math.ceil(Math.log10(from) - 1e-9);
    const last = Math.floor(Math.log10(to) + 1e-9);
    const apart = Math.max(1, Math.ceil((last - first + 1) / most));
    // Of few decades the parts too.
    const parts = last - first < most / 3 ? [1, 2, 5] : [1];
    return range(first - 1, last, apart)
      .flatMap((power) => parts.map((part) => part * 10 ** power))
      .filter((value) => value >= from && value <= to);
  }
  const rough = (to - from) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = power * STEPS.find((each) => each * power >= rough);
  const step = isWhole ? Math.max(1, round) : round;
  const found = range(Math.ceil(from / step - 1e-9), Math.floor(to / step + 1e-9), 1).map((each) => each * step);
  // One or two say nothing of the scale.
  return found.length < 3 && !isWhole && most < FEW ? ticks({ from, to }, 2 * most) : found;
}

/** The path through points; where a value is not finite it is interrupted. */
export function line(xs, ys, { x, y }) {
  let path = "";
  let isDown = false;
  ys.forEach((value, place) => {
    if (value === null) {
      isDown = false;
      return;
    }
    path += `${isDown ? "L" : "M"}${x(xs[place]).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = true;
  });
  return path;
}

/** Ends of an axis that has room for values: a little more than they span. A logarithm where they span very much. */
export function span(values, { mayBeLog = false } = {}) {
  if (values.length === 0) {
    return { from: 0, to: 1, isLog: false };
  }
  const low = values.reduce((least, value) => Math.min(least, near(value)), Infinity);
  const high = values.reduce((most, value) => Math.max(most, near(value)), -Infinity);
  if (mayBeLog && low > 0 && high / low > 30) {
    return { from: low / 1.1, to: high * 1.1, isLog: true };
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
  return { from: low >= 0 ? Math.max(0, low - room) : low - room, to: high + room, isLog: false };
}

/** Draws now, and again whenever there is another width for it. */
export function inItsWidth(host, draw) {
  let width = null;
  new ResizeObserver(() => {
    if (host.clientWidth !== width) {
      width = host.clientWidth;
      draw();
    }
  }).observe(host);
}

/** A value, as far from zero as can be drawn. */
function near(value) {
  return Math.min(Math.max(value, -FARTHEST), FARTHEST);
}

function grid(x, y, across, up, left, width, height) {
  const bottom = height - MARGIN.bottom;
  const found = [];
  for (const value of ticks(y, 6)) {
    const at = up(value);
    found.push(drawn("line", { class: "grid", x1: left, x2: width - MARGIN.right, y1: at, y2: at }));
    found.push(drawn("text", { class: "tick", x: left - 6, y: at + 4, "text-anchor": "end" }, written(y, value)));
  }
  for (const value of ticks(x, Math.max(3, Math.round(width / 110)))) {
    const [at, text] = [across(value), written(x, value)];
    const within = Math.min(at, width - (text.length * LETTER) / 2);
    found.push(drawn("line", { class: "grid", x1: at, x2: at, y1: bottom, y2: bottom + 4 }));
    found.push(drawn("text", { class: "tick", x: within, y: bottom + 17, "text-anchor": "middle" }, text));
  }
  const middle = (MARGIN.top + bottom) / 2;
  found.push(
    named(x.label, width - left, { x: (left + width) / 2, y: height - 6 }),
    named(y.label, bottom, { transform: `translate(13 ${middle}) rotate(-90)` }),
  );
  return found;
}

/** The name of an axis, as much of it as there is room for: its beginning and its end. */
function named(label, room, place) {
  const most = Math.floor(room / LETTER);
  const short = label.length <= most ? label : `${label.slice(0, most - 9)}…${label.slice(-8)}`;
  const found = drawn("text", { class: "axis", ...place, "text-anchor": "middle" }, short);
  found.append(drawn("title", {}, label));
  return found;
}

function written({ isWhole, ticks: write = isWhole ? count : number }, value) {
  return write(Number(value.toPrecision(12)));
}

function range(first, last, step) {
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, place) => first + place * step);
}

// The learning curves in figures, for whoever does not see the picture.
import { number } from "./numbers.js";
import { table } from "./tables.js";

const MOST = 100;

/** A table of the trials that are drawn, the best first. */
export function curvesTable(picture, curves, trials) {
  const sign = picture.direction === "minimize" ? 1 : -1;
  const best = ({ values }) => values.reduce((least, value) => (value === null ? least : Math.min(least, sign * value)), Infinity);
  const ordered = [...curves].sort((one, other) => best(one) - best(other)).slice(0, MOST);
  return table(["Trial", "State", "Last step", "Last value", "Best value"], ordered.map((curve) => [
    { text: curve.number, href: `${trials}${curve.number}` },
    { text: curve.number === picture.best ? `${curve.state}, the best` : curve.state },
    { text: curve.steps.at(-1), isFigure: true },
    { text: number(curve.values.at(-1)), isFigure: true },
    { text: Number.isFinite(best(curve)) ? number(sign * best(curve)) : "–", isFigure: true },
  ]));
}

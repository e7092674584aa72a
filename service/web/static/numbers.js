// Figures as the pages of the service write them, so that what a script writes beside them looks alike.

const NOTHING = "–";

/** A figure with four digits that count; a dash where there is none. */
export function number(value) {
  if (value === null || value === undefined) {
    return NOTHING;
  }
  const [digits, exponent] = value.toExponential(3).split("e");
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 4)) {
    return String(Number(value.toPrecision(4)));
  }
  return `${Number(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A number of things. */
export function count(value) {
  return Math.round(value).toLocaleString("en");
}

const TIMES = [["s", 60], ["min", 60], ["h", 24], ["d", Infinity]];

/** A time span in the largest unit that it has one of. */
export function lasting(seconds) {
  let [value, place] = [Math.max(0, seconds), 0];
  while (value >= TIMES[place][1]) {
    value /= TIMES[place][1];
    place += 1;
  }
  return `${Number(value.toFixed(value >= 10 ? 0 : 1))} ${TIMES[place][0]}`;
}

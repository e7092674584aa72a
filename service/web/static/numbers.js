// Figures as the pages of the service write them, so that what a script writes beside them looks alike.

const NOTHING = "–";
const LARGEST = 1e9; // Up to here a number of things is read digit by digit.

/** A figure with four digits that count, a large one to its unit; a dash where there is none. */
export function number(value) {
  if (value === null || value === undefined) {
    return NOTHING;
  }
  const [digits, exponent] = value.toExponential(3).split("e");
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 4)) {
    return String(Number(value.toPrecision(4)));
  }
  if (power >= 4 && Math.abs(value) < LARGEST) {
    return count(value);
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

/** The unit of an axis of time that ends after so many seconds: how many of them it has, and its name. */
export function unitOfTime(seconds) {
  let [size, place] = [1, 0];
  while (seconds >= 2 * size * TIMES[place][1]) {
    size *= TIMES[place][1];
    place += 1;
  }
  return { size, name: TIMES[place][0] };
}

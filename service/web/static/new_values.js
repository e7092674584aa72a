// What is typed into a field, as a value of the JSON, and back. What is no number where one is wanted stays a text:
// the service says what is wrong with it, and it is not lost.

/** The number of a text; undefined where it is empty: the JSON leaves it out. */
export function numberOf(text) {
  const typed = text.trim();
  return typed === "" ? undefined : Number.isFinite(Number(typed)) ? Number(typed) : typed;
}

const PLAIN = /^[^\s",[\]{}][^",]*$/; // A text that can stand among others without quotes.
const LONG = 7; // Digits of a number that are more than one reads at a glance: 0.0001 is fine, 0.000001 is 1e-6.

/** A value as it is typed; the other way round it is the same value. */
export function textOf(value) {
  if (typeof value === "number") {
    const [plain, short] = [String(value), value.toExponential()];
    return plain.length > LONG && short.length < plain.length ? short : plain;
  }
  if (value === undefined || value === null) {
    return "";
  }
  return typeof value === "string" && valueOf(value) === value ? value : JSON.stringify(value);
}

/** The value of a text: a number, a truth value, a list or a quoted text as in JSON; all else is a text itself. */
export function valueOf(text) {
  try {
    const value = JSON.parse(text);
    return value === null ? text.trim() : value;
  } catch {
    return text.trim();
  }
}

/** Choices as they are typed, with commas between them; all texts in quotes if one needs them. */
export function textOfChoices(choices) {
  if (!Array.isArray(choices)) {
    return textOf(choices);
  }
  const isText = (each) => typeof each === "string";
  const isPlain = choices.filter(isText).every((each) => PLAIN.test(each) && valueOf(each) === each);
  return choices.map((each) => (isPlain && isText(each) ? each : JSON.stringify(each))).join(", ");
}

// What begins with a quote has commas of its own; a quote within a word is a character like any other.
const CHOICE = /(?:\s*"(?:[^"\\]|\\.)*")?[^,]*/g;

/** The choices of a text; where a quote is left open the text as it is, against which the service has something. */
export function choicesOf(text) {
  try {
    return JSON.parse(`[${text}]`);
  } catch {
    const found = text.match(CHOICE).map((each) => each.trim()).filter(Boolean);
    return found.some(isOpen) ? text : found.map(valueOf);
  }
}

function isOpen(choice) {
  return /^"(?:[^"\\]|\\.)*$/.test(choice);
}

/** The lines of a text that say something; undefined where there are none. */
export function linesOf(text) {
  const found = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return found.length ? found : undefined;
}

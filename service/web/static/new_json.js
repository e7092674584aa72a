// The JSON of a study: read, with what is wrong with it, and written for people.

const WIDTH = 96;

// What turns text around, or ends a line where it is pasted: as escapes that mean the same. Only strings can have them.
const TRICKY = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

// Where browsers say that something is wrong, each in its own words.
const PLACE = / (in JSON )?at (position|line) \d+.*$/;

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** { value } of a text, or { problem } in words, with line and column where the browser says them. */
export function read(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? { value } : { problem: "A study is an object: it begins with { and ends with }." };
  } catch (error) {
    return { problem: `This is not JSON${place(error.message, text)}: ${error.message.replace(PLACE, "")}` };
  }
}

/**
 * How the numbers of a text that is JSON are written, each at its place in the value: 1.0 is read as 1, and of very
 * large ones the last digits are lost. None where the browser does not say it.
 */
export function numbersOf(text) {
  return JSON.parse(text, (_, part, context) => {
    if (typeof part === "number") {
      return context?.source;
    }
    return typeof part === "object" ? part : null;
  });
}

/** A value as JSON: what fits a line stands on one, but for the whole. Numbers that are the same are as they were. */
export function write(value, numbers = null) {
  return `${safe(lines(value, numbers, "", 0, true))}\n`;
}

/** The same text with an escape for each character that would do something where it is pasted. */
export function safe(json) {
  return json.replace(TRICKY, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function place(message, text) {
  const [, line, column] = message.match(/line (\d+) column (\d+)/) ?? [];
  if (line) {
    return ` (line ${line}, column ${column})`;
  }
  const [, position] = message.match(/position (\d+)/) ?? [];
  if (position) {
    const before = text.slice(0, Number(position)).split("\n");
    return ` (line ${before.length}, column ${before.at(-1).length + 1})`;
  }
  return "";
}

/** Lines of JSON, of which the first comes after so many characters. */
function lines(value, numbers, indent, before, isWhole = false) {
  const line = inline(value, numbers);
  if (typeof value !== "object" || value === null || (!isWhole && before + line.length < WIDTH)) {
    return line;
  }
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = keyed(value, numbers).map(
    ([key, item, its]) => deeper + key + lines(item, its, deeper, deeper.length + key.length),
  );
  return items.length ? `${open}\n${items.join(",\n")}\n${indent}${close}` : open + close;
}

function inline(value, numbers) {
  if (typeof value === "number" && typeof numbers === "string" && Number(numbers) === value) {
    return numbers;
  }
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value);
  }
  const items = keyed(value, numbers).map(([key, item, its]) => key + inline(item, its));
  return Array.isArray(value) ? `[${items.join(", ")}]` : `{${items.join(", ")}}`;
}

/** The items of an array or object, each with what stands before it, and how its numbers are written. */
function keyed(value, numbers) {
  const before = Array.isArray(value) ? () => "" : (key) => `${JSON.stringify(key)}: `;
  const its = (key) => (numbers !== null && typeof numbers === "object" && Object.hasOwn(numbers, key) ? numbers[key] : null);
  return Object.entries(value).map(([key, item]) => [before(key), item, its(key)]);
}

// Reads and replaces a part of a spec by its path, such as ["task", "data", "dataset"]. All else stays as it is.
import { isObject } from "./new_json.js";

/** What stands at a path; undefined: nothing. Only what the JSON itself has counts, whatever its names are. */
export function at(whole, path) {
  return path.reduce((part, key) => (isThere(part, key) ? part[key] : undefined), whole);
}

/** The whole with another value at a path; undefined leaves it out, and whatever is empty without it. */
export function put(whole, path, value) {
  return value === undefined && at(whole, path) === undefined ? whole : replaced(whole, path, value);
}

function replaced(whole, [key, ...rest], value) {
  const before = isThere(whole, key) ? whole[key] : undefined;
  const part = rest.length ? replaced(before, rest, value) : value;
  const isLeftOut = part === undefined || (value === undefined && isObject(part) && Object.keys(part).length === 0);
  if (Number.isInteger(key)) {
    const items = Array.isArray(whole) ? [...whole] : [];
    // Of several items none goes: the others would take each other's place.
    const nothing = items.length > 1 ? [{}] : [];
    items.splice(key, 1, ...(isLeftOut ? nothing : [part]));
    return items;
  }
  const entries = new Map(Object.entries(isObject(whole) ? whole : {}));
  entries.set(key, part);
  if (isLeftOut) {
    entries.delete(key);
  }
  return Object.fromEntries(entries);
}

/** The path of a field of the form; its names have no dots. */
export function pathOf(field) {
  return field.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function isThere(part, key) {
  return typeof part === "object" && part !== null && Object.hasOwn(part, key);
}

// What is searched and what is fixed, in a spec: pure functions from a spec to another one.
//
// `standard` is the default space of the spec's task, as the service gives it; null: it has none. A spec without a
// space has that one, and gets a space of its own once somebody changes it.
import { isObject } from "./new_json.js";
import { at, put } from "./new_paths.js";

/** Whether a spec has a space of its own. */
export function hasOwnSpace(spec) {
  return isObject(at(spec, ["space"]));
}

/** The parameters that are searched, by name, in their order. */
export function searched(spec, standard) {
  if (hasOwnSpace(spec)) {
    return spec.space;
  }
  return Object.entries(fixed(spec)).reduce((space, [name, value]) => without(space, name, value), standard ?? {});
}

/** What is fixed, by name. */
export function fixed(spec) {
  const found = at(spec, ["task", "fixed"]);
  return isObject(found) ? found : {};
}

/** The spec with another parameter in the place of one, or after all others. */
export function withParameter(spec, standard, name, parameter) {
  const space = searched(spec, standard);
  return put(put(spec, ["task", "fixed", name], undefined), ["space"], put(space, [name], ifThere(parameter, space)));
}

/** The spec with a hyperparameter fixed. */
export function withFixed(spec, standard, name, value) {
  const settled = put(spec, ["task", "fixed", name], value);
  return hasOwnSpace(spec) ? put(settled, ["space"], without(spec.space, name, value)) : settled;
}

/** The spec with a hyperparameter neither searched nor fixed: it has the value that its task gives it. */
export function withNeither(spec, standard, name, value) {
  if (at(fixed(spec), [name]) !== undefined && hasOwnSpace(spec)) {
    return put(spec, ["task", "fixed", name], undefined);
  }
  const space = without(searched(spec, standard), name, value);
  return put(put(spec, ["task", "fixed", name], undefined), ["space"], space);
}

/** A parameter with another type, with as much as goes with it. */
export function retyped(parameter, type, usual) {
  const { low, high, scale, choices, step, ...others } = parameter;
  if (type === "categorical") {
    return { type, choices: usual?.choices ?? [low ?? 0, high ?? 1], ...rest(others) };
  }
  const numbers = (Array.isArray(choices) ? choices : []).filter((each) => typeof each === "number");
  const bounds = numbers.length ? [Math.min(...numbers), Math.max(...numbers)] : [low ?? 0, high ?? 1];
  const [least, most] = type === "int" ? bounds.map(rounded) : bounds;
  const kept = type === "int" && scale === "reverse_log" ? "linear" : scale;
  return { type, low: least, high: most, ...(kept ? { scale: kept } : {}), ...rest(others) };
}

function rest({ type: _, ...others }) {
  return others;
}

function rounded(bound) {
  return typeof bound === "number" ? Math.round(bound) : bound;
}

/**
 * The space without a parameter that has one value now. What depends on it stays, without the condition, where that
 * value allows it; else it goes, and what depends on that.
 */
function without(space, name, value) {
  const gone = new Set([name]);
  const kept = Object.entries(space).flatMap(([other, parameter]) => {
    const values = at(parameter, ["when", name]);
    const isForbidden = values !== undefined && !(Array.isArray(values) && values.includes(value));
    if (gone.has(other) || isForbidden || parents(parameter).some((parent) => parent !== name && gone.has(parent))) {
      gone.add(other);
      return [];
    }
    return [[other, put(parameter, ["when", name], undefined)]];
  });
  return Object.fromEntries(kept);
}

/** A parameter without the conditions on what is not searched. */
function ifThere(parameter, space) {
  const strangers = parents(parameter).filter((parent) => !Object.hasOwn(space, parent));
  return strangers.reduce((left, parent) => put(left, ["when", parent], undefined), parameter);
}

function parents(parameter) {
  const when = at(parameter, ["when"]);
  return isObject(when) ? Object.keys(when) : [];
}

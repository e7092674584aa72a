// The part of the form that is about hyperparameters: those that are searched, those that are fixed, and others.
import { isObject } from "./new_json.js";
import { fixed, hasOwnSpace, retyped, searched, withFixed, withNeither, withParameter } from "./new_space.js";
import { at, put } from "./new_paths.js";
import { fixedRow, refresh, refreshFixed, searchedRow } from "./new_rows.js";

const ANYTHING = { type: "float", low: 0, high: 1 };

const element = (id) => document.getElementById(id);
const rows = element("searched");
const fixedRows = element("fixed");
const known = element("known");
const other = element("other");

/**
 * What shows a spec and the default space of its task.
 *
 * @param tasks of the service, and what all others have.
 * @param change is given what makes a spec of the one there is, and the field that is to be gone on with.
 */
export function parameters({ tasks, own }, change) {
  let spec = {};
  let standard = null;
  let drawn = "";

  element("add").addEventListener("click", add);
  other.addEventListener("keydown", (event) => event.key === "Enter" && add());
  element("standard").addEventListener("click", () => change((now) => put(now, ["space"], undefined), "space"));
  known.addEventListener("input", hint);

  return function show(now, itsStandard) {
    [spec, standard] = [now, itsStandard];
    const wanted = JSON.stringify([spec.task?.name, layout()]);
    if (wanted !== drawn) {
      drawn = wanted;
      draw();
    } else {
      all().forEach(([name, each]) => refresh(rows, `space.${name}`, each));
      Object.entries(fixed(spec)).forEach(([name, value]) => refreshFixed(fixedRows, `task.fixed.${name}`, value));
    }
    notes();
  };

  /** What rows there are: a change of it has them drawn anew. */
  function layout() {
    return [all().map(([name, { type, when, per }]) => [name, type, when, per]), Object.keys(fixed(spec))];
  }

  /** The parameters that are searched; one that is none, as the JSON has it, is an empty one. */
  function all() {
    return Object.entries(searched(spec, standard)).map(([name, each]) => [name, isObject(each) ? each : {}]);
  }

  function draw() {
    rows.replaceChildren(...all().map(([name, each]) => rowOf(name, each)));
    fixedRows.replaceChildren(...Object.entries(fixed(spec)).map(([name, value]) => fixedRowOf(name, value)));
    const isThere = (name) => at(searched(spec, standard), [name]) ?? at(fixed(spec), [name]);
    const others = Object.keys(knobs()).filter((name) => isThere(name) === undefined);
    const chosen = known.value;
    known.replaceChildren(...others.map((name) => new Option(name, name, false, name === chosen)));
    element("adding-known").hidden = others.length === 0;
    element("adding-other").hidden = isClosed();
    element("add").hidden = others.length === 0 && isClosed();
    hint();
  }

  function rowOf(name, parameter) {
    const set = (key, value) => (key === "type" ? retype(name, value) : change(edited(name, key, value)));
    const first = parameter.type === "categorical" ? at(parameter, ["choices", 0]) : parameter.low;
    const fix = (now) => withFixed(now, standard, name, knob(name)?.default ?? first ?? 0);
    const actions = {
      ...(spec.task ? { Fix: () => change(fix, `task.fixed.${name}`) } : {}),
      Remove: () => change((now) => withNeither(now, standard, name, knob(name)?.default), neighbour(name)),
    };
    return searchedRow(name, parameter, { meaning: knob(name)?.meaning, set, actions });
  }

  function neighbour(name) {
    const names = all().map(([each]) => each);
    const place = names.indexOf(name);
    return `space.${names[place + 1] ?? names[place - 1]}.type`;
  }

  function fixedRowOf(name, value) {
    const set = (typed) => change((now) => put(now, ["task", "fixed", name], typed));
    const actions = {
      Search: () => change(searchedAgain(name), `space.${name}.type`),
      Remove: () => change((now) => withNeither(now, standard, name, knob(name)?.default), "space"),
    };
    return fixedRow(name, value, { meaning: knob(name)?.meaning, set, actions });
  }

  function edited(name, key, value) {
    return (now) => withParameter(now, standard, name, put(searched(now, standard)[name], [key], value));
  }

  function retype(name, type) {
    const changed = (now) => retyped(searched(now, standard)[name] ?? {}, type, knob(name)?.usual);
    change((now) => withParameter(now, standard, name, changed(now)), `space.${name}.type`);
  }

  /** A default space has what is fixed no more; a space of its own is given it. */
  function searchedAgain(name) {
    return (now) => {
      const isDefault = !hasOwnSpace(now) && at(standard, [name]) !== undefined;
      const freed = put(now, ["task", "fixed", name], undefined);
      return isDefault ? freed : withParameter(now, standard, name, knob(name)?.usual ?? ANYTHING);
    };
  }

  function add() {
    const name = other.value.trim() || known.value;
    other.value = "";
    if (name && at(searched(spec, standard), [name]) === undefined) {
      change((now) => withParameter(now, standard, name, knob(name)?.usual ?? ANYTHING), `space.${name}.type`);
    }
  }

  function notes() {
    const isOwn = hasOwnSpace(spec);
    element("standard").hidden = !isOwn || standard === null;
    element("space-note").textContent = isOwn ? "" : spaceless();
    element("fixed-note").hidden = Object.keys(fixed(spec)).length > 0;
  }

  function spaceless() {
    if (standard) {
      return `The default space of ${spec.task?.name}. Once you change it, the JSON has it as a whole.`;
    }
    return spec.task
      ? "This task has no default space: add what is to be searched."
      : "Without a space, each trial asks for what it needs while it runs.";
  }

  function hint() {
    element("known-hint").textContent = knob(known.value)?.meaning ?? "";
  }

  function isClosed() {
    return Boolean(spec.task) && at(tasks, [spec.task.name]) !== undefined;
  }

  function knobs() {
    return spec.task ? (at(tasks, [spec.task.name]) ?? own).hyperparameters : {};
  }

  function knob(name) {
    return at(knobs(), [name]);
  }
}

// The fields of the form that every study has: each shows its part of the spec, and changes it.
//
//   <input data-field="budget.trials" data-kind="number">
//
// What the JSON leaves out has the value that it would have by default; where there is none, the field is empty.
import { isObject } from "./new_json.js";
import { at, pathOf, put } from "./new_paths.js";
import { linesOf, numberOf, textOf } from "./new_values.js";

const asItIs = (value) => (typeof value === "string" ? value : textOf(value));

const KINDS = {
  text: { typed: asItIs, value: (text) => (text === "" ? undefined : text) },
  number: { typed: textOf, value: numberOf },
  lines: { typed: (value) => (Array.isArray(value) ? value.join("\n") : textOf(value)), value: linesOf },
  choice: { typed: asItIs, value: (text) => text },
};

// How the spec is changed where that is more than another value.
const CHANGES = {
  "task.name": withTask,
  "task.data.dataset": withDataset,
  "sampler.name": (spec, name) => withNamed(spec, "sampler", name, "seed"),
  "pruner.name": (spec, name) => withNamed(spec, "pruner", name, "metric"),
};

let lastTask = {};

/** Has every field tell of a change: `change` is given what makes a spec of the one there is. */
export function listen(fields, change) {
  for (const control of fields) {
    control.addEventListener("input", () => {
      const { field, kind } = control.dataset;
      const value = KINDS[kind].value(control.value);
      change((spec) => CHANGES[field]?.(spec, value) ?? put(spec, pathOf(field), value));
    });
  }
}

/** Shows a spec in the fields. One that says the same already is left as it was typed. */
export function fill(fields, spec, defaults) {
  for (const control of fields) {
    const { field, kind } = control.dataset;
    const { typed, value } = KINDS[kind];
    const shown = shownOf(spec, defaults, field);
    if (control.tagName === "SELECT") {
      choose(control, typed(shown));
    } else if (control.value === "" && control === document.activeElement) {
      leaveEmpty(control, typed(shown));
    } else if (JSON.stringify(value(control.value)) !== JSON.stringify(shown)) {
      control.value = typed(shown);
    }
  }
}

/** Whoever empties a field goes on typing: what it has by default would stand in the way, and is shown afterwards. */
function leaveEmpty(control, byDefault) {
  control.addEventListener("blur", () => (control.value ||= byDefault), { once: true });
}

function shownOf(spec, defaults, field) {
  const path = pathOf(field);
  const isNobodys = path[0] === "task" && spec.task === null;
  return at(spec, path) ?? (isNobodys || path[0] === "priority" ? undefined : at(defaults, path));
}

/** Chooses what a spec says, also where it is not among what is offered. */
function choose(select, text) {
  if (text !== "" && ![...select.options].some((option) => option.value === text)) {
    select.add(new Option(text, text));
  }
  select.value = text;
  const hint = document.getElementById(`hint-${select.dataset.field}`);
  if (hint) {
    hint.textContent = select.selectedOptions[0]?.dataset.meaning ?? "";
  }
}

function withTask(spec, name) {
  if (isObject(spec.task)) {
    lastTask = spec.task;
  }
  return put(spec, ["task"], name === "" ? null : { ...lastTask, ...spec.task, name });
}

/** Another data set: the content that was settled for the one before is not its own. */
function withDataset(spec, name) {
  const before = at(spec, ["task", "data", "dataset"]);
  return put(put(spec, ["task", "data", "contents", before], undefined), ["task", "data", "dataset"], name);
}

/** Another sampler or pruner: of the settings of the one before it has only the one that all have. */
function withNamed(spec, part, name, common) {
  const kept = at(spec, [part, common]);
  return put(spec, [part], { name, ...(kept === undefined ? {} : { [common]: kept }) });
}

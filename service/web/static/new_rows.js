// The rows of the form: a parameter that is searched, or a hyperparameter that is fixed.
import { choicesOf, numberOf, textOf, textOfChoices, valueOf } from "./new_values.js";

const TYPES = ["float", "int", "categorical"];
const SCALES = { float: ["linear", "log", "reverse_log"], int: ["linear", "log"] };
const NUMBERS = { low: "Low", high: "High", step: "Step" };

let controls = 0;

/**
 * The row of a parameter.
 *
 * @param set is called with a key of the parameter and its new value; undefined: it is left out.
 * @param actions what the buttons are called, each with what it does.
 */
export function searchedRow(name, parameter, { meaning, set, actions }) {
  const field = (key) => `space.${name}.${key}`;
  const shown = [labelled("Type", select(field("type"), TYPES, parameter.type, (type) => set("type", type)))];
  if (parameter.type === "categorical") {
    const typed = input(field("choices"), textOfChoices(parameter.choices), (text) => set("choices", choicesOf(text)));
    shown.push(labelled("Choices, with commas between", typed, "wide-field"));
  } else {
    for (const [key, label] of Object.entries(NUMBERS)) {
      const typed = input(field(key), textOf(parameter[key]), (text) => set(key, numberOf(text)));
      typed.inputMode = "decimal";
      shown.push(labelled(label, typed));
    }
    const scales = SCALES[parameter.type] ?? SCALES.float;
    const scale = select(field("scale"), scales, parameter.scale ?? "linear", (chosen) => set("scale", chosen));
    shown.push(labelled("Scale", scale));
  }
  return row(name, [meaning, ...conditions(parameter)], shown, actions);
}

/** The row of what is fixed. */
export function fixedRow(name, value, { meaning, set, actions }) {
  const typed = input(`task.fixed.${name}`, textOf(value), (text) => set(valueOf(text)));
  return row(name, [meaning], [labelled("Value", typed)], actions);
}

/** Shows the values of a parameter in its row; a field that says the same already is left as it was typed. */
export function refresh(rows, field, parameter) {
  for (const key of Object.keys(NUMBERS)) {
    renew(rows, `${field}.${key}`, textOf(parameter[key]), (text) => textOf(numberOf(text)));
  }
  renew(rows, `${field}.choices`, textOfChoices(parameter.choices), (text) => textOfChoices(choicesOf(text)));
  renew(rows, `${field}.scale`, parameter.scale ?? "linear", (text) => text);
}

/** Shows a fixed value in its row, likewise. */
export function refreshFixed(rows, field, value) {
  renew(rows, field, textOf(value), (text) => textOf(valueOf(text)));
}

/** The control of a field, somewhere within an element. */
export function controlOf(within, field) {
  return [...within.querySelectorAll("[data-field]")].find((control) => control.dataset.field === field);
}

function renew(rows, field, text, meant) {
  const control = controlOf(rows, field);
  if (control && meant(control.value) !== text) {
    control.value = text;
  }
}

function conditions({ when, per }) {
  const words = Object.entries(when ?? {}).map(([parent, values]) => `where ${parent} is ${textOfChoices(values)}`);
  return [words.length ? `only ${words.join(" and ")}` : "", per ? `a list, one for each of ${per}` : ""];
}

function row(name, notes, fields, actions) {
  const note = element("span", { className: "note", textContent: notes.filter(Boolean).join("; "), dir: "auto" });
  const legend = element("legend", {}, element("bdi", { textContent: name }), " ", note);
  const buttons = Object.entries(actions).map(([label, act]) => {
    const button = element("button", { type: "button", textContent: label });
    button.setAttribute("aria-label", `${label}: ${name}`);
    button.addEventListener("click", act);
    return button;
  });
  const doing = element("span", { className: "buttons" }, ...buttons);
  return element("fieldset", { className: "row" }, legend, ...fields, doing);
}

function labelled(label, control, kind = "") {
  control.id = `row-${(controls += 1)}`;
  const words = element("label", { htmlFor: control.id, textContent: label });
  return element("div", { className: `field ${kind}` }, words, control);
}

function input(field, value, set) {
  const isTyped = { autocomplete: "off", autocapitalize: "off", spellcheck: false, dir: "auto" };
  const control = element("input", { value, ...isTyped });
  control.dataset.field = field;
  control.addEventListener("input", () => set(control.value));
  return control;
}

function select(field, options, chosen, set) {
  const control = element("select", {});
  control.dataset.field = field;
  // What the JSON says is shown, also where it is none of these.
  const all = options.includes(chosen) ? options : [...options, textOf(chosen)];
  control.append(...all.map((option) => new Option(option, option, false, option === chosen)));
  control.value = textOf(chosen);
  control.addEventListener("input", () => set(control.value));
  return control;
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

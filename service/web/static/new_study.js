// /new: the JSON of a study and a form beside it, in step. The JSON is what is sent; the form is a way to write it.
import { command } from "./new_command.js";
import { creation } from "./new_creation.js";
import { examiner } from "./new_draft.js";
import { fill, listen } from "./new_fields.js";
import { numbersOf, read, write } from "./new_json.js";
import { parameters } from "./new_parameters.js";
import { at } from "./new_paths.js";
import { place } from "./new_problems.js";
import { controlOf } from "./new_rows.js";
import { problemsOf } from "./new_sending.js";
import { hasOwnSpace } from "./new_space.js";

const element = (id) => document.getElementById(id);
const form = element("form");
const json = element("spec");
const fields = [...form.querySelectorAll("[data-field][data-kind]")];
const copying = document.querySelector("[data-copy=curl]");
const offered = JSON.parse(element("offered").textContent);

let spec = {};
let numbers = null; // As somebody wrote them.
let standard = null;
let standardOf = null; // The task and data that it is the default space of.
let problems = problemsOf(element("problem"));
let isAsGiven = problems.length > 0;

const { examine, stop } = examiner(take, (against) => say(isAsGiven ? problems : against, []));
const showParameters = parameters(offered, change);

listen(fields, change);
creation(element("creation"), refused);
json.addEventListener("input", typed);
form.hidden = false;
copying.hidden = false;
element("command").hidden = false;
readJson(0);

/** Changes the spec, and goes on at a field where one is named. */
function change(make, field) {
  isAsGiven = false;
  spec = make(spec);
  json.value = write(spec, numbers);
  show();
  if (field) {
    (controlOf(form, field) ?? controlOf(form, "space")).focus();
  }
  examine(json.value);
}

function typed() {
  isAsGiven = false;
  readJson();
}

/** Takes what the JSON says. While it is none the form is of no use, so that nobody loses by it what is written. */
function readJson(wait) {
  const { value, problem } = read(json.value);
  element("not-json").textContent = problem ?? "";
  element("fields").disabled = Boolean(problem);
  json.setAttribute("aria-invalid", Boolean(problem));
  copying.disabled = Boolean(problem);
  if (problem) {
    stop();
    element("curl").textContent = "";
    say(isAsGiven ? problems : [], []);
    return;
  }
  spec = value;
  numbers = numbersOf(json.value);
  show();
  examine(json.value, wait);
}

function show() {
  fill(fields, spec, offered.defaults);
  showParameters(spec, standard);
  element("space").disabled = !hasOwnSpace(spec) && standardOf !== basis();
  const task = at(spec, ["task", "name"]);
  const metrics = task === undefined ? [] : (at(offered.tasks, [task]) ?? offered.own).metrics;
  element("metrics").replaceChildren(...metrics.map((metric) => new Option(metric, metric)));
  const more = (at(spec, ["objectives", "length"]) ?? 1) - 1;
  element("more-objectives").textContent = more > 0 ? `and ${more} more, in the JSON` : "";
  element("field-task.data.dataset").disabled = spec.task === null;
  element("curl").textContent = command(location.origin, json.value);
  place(problems);
}

/** Shows why the study was not created, and goes to the first field that is at fault. */
function refused(against) {
  isAsGiven = true;
  say(against, []);
  if (element("fields").disabled) {
    json.focus();
  } else {
    examine(json.value, 0);
  }
}

/** Shows what the service says of the spec as it is. */
function take(examined) {
  standard = examined.space ?? null;
  standardOf = basis();
  show();
  say(isAsGiven ? problems : examined.problems, examined.advice);
  if (isAsGiven) {
    form.querySelector("[aria-invalid]")?.focus();
  }
}

function say(against, advice) {
  problems = against;
  place(problems);
  element("said").textContent = problems.length ? wrong(problems.length) : "";
  advise(advice);
}

/** What the default space follows from. Until it is known nobody changes it into another one. */
function basis() {
  return JSON.stringify([at(spec, ["task", "name"]), at(spec, ["task", "data"])]);
}

function wrong(count) {
  return count === 1 ? "One thing stands against it." : `${count} things stand against it.`;
}

function advise(advice) {
  const items = advice.map(({ text, command: todo }) => {
    const item = document.createElement("li");
    item.className = "look";
    item.append(text);
    if (todo) {
      const code = document.createElement("code");
      code.textContent = todo;
      item.append(" ", code);
    }
    return item;
  });
  const words = (elements) => [...elements].map((each) => each.textContent).join();
  // What is written again is read out again.
  if (words(items) !== words(element("advice").children)) {
    element("advice").replaceChildren(...items);
  }
}

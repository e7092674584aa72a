// What the service says against a study: at the field that it is about, and in a list where there is none.
const box = document.getElementById("problem");
const form = document.getElementById("form");

let listed = null;

/** Shows problems, instead of those that were shown. */
export function place(problems) {
  clear();
  const placed = problems.map((problem) => ({ ...problem, control: controlFor(problem.field) }));
  const atFields = placed.filter(({ control }) => control);
  atFields.forEach(({ control, message }, position) => mark(control, message, `at-field-${position}`));
  list(placed.filter(({ control }) => !control));
}

/** The control of a field: its own, the likeliest or first one of a part, or that of the list which it is in. */
function controlFor(field) {
  if (field === "space") {
    return undefined; // Of all parameters: it is the fault of no row.
  }
  const [, whole] = field.match(/^(.*)\.\d+$/) ?? [];
  const controls = [...form.querySelectorAll("[data-field]")].filter((control) => !control.closest(".field").hidden);
  const first = (isIts) => controls.find((control) => isIts(control.dataset.field));
  return (
    first((its) => its === field) ??
    first((its) => its === `${field}.choices`) ??
    first((its) => its.startsWith(`${field}.`)) ??
    first((its) => its === whole)
  );
}

function mark(control, message, id) {
  const said = document.createElement("span");
  said.id = id;
  said.className = "problem at-field";
  said.dir = "auto";
  said.textContent = message;
  control.closest(".field").append(said);
  control.setAttribute("aria-invalid", "true");
  control.dataset.described ??= control.getAttribute("aria-describedby") ?? "";
  control.setAttribute("aria-describedby", `${control.getAttribute("aria-describedby") ?? ""} ${id}`.trim());
}

function clear() {
  form.querySelectorAll(".at-field").forEach((said) => said.remove());
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", control.dataset.described);
  }
}

function list(problems) {
  const items = problems.map(item);
  const text = items.map((each) => each.textContent).join("\n");
  box.hidden = problems.length === 0;
  // What is written again is read out again.
  if (text !== listed) {
    listed = text;
    box.querySelector("p").textContent = problems.length ? "Something stands against this study:" : "";
    box.querySelector("ul").replaceChildren(...items);
  }
}

function item({ field, message }) {
  const made = document.createElement("li");
  const code = document.createElement("code");
  const said = document.createElement("span");
  made.dir = "auto";
  made.dataset.at = field;
  code.textContent = field === "body" ? "" : field;
  said.textContent = message;
  made.append(code, " ", said);
  return made;
}

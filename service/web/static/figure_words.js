// A figure in words: its caption, the table that says the same, and what else could be drawn. All of it is text.

/** Writes a table in place of what is in an element. */
export function writeTable(element, { columns, rows }) {
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    head.append(cell("th", column, "col"));
  }
  const body = table.createTBody();
  for (const [first, ...others] of rows) {
    const row = body.insertRow();
    row.append(cell("th", first, "row"), ...others.map((text) => cell("td", text)));
  }
  element.replaceChildren(table);
}

/** Writes what can be chosen; calls back with what is. A choice that is there stays, with the focus that it may have. */
export function writeChoices(element, choices, onChoice) {
  const text = JSON.stringify(choices.map(({ name, label: words, options }) => [name, words, options]));
  if (element.dataset.choices !== text) {
    element.dataset.choices = text;
    element.replaceChildren(...choices.filter(({ options }) => options.length > 1).map((choice) => label(choice)));
  }
  for (const select of element.querySelectorAll("select")) {
    select.value = choices.find(({ name }) => name === select.name).chosen;
  }
  element.onchange = () => {
    const chosen = [...element.querySelectorAll("select")].map(({ name, value }) => [name, value]);
    onChoice(new URLSearchParams(chosen));
  };
}

function label({ name, label: words, options }) {
  const found = document.createElement("label");
  const select = document.createElement("select");
  select.name = name;
  for (const option of options) {
    select.add(new Option(option, option));
  }
  found.append(`${words} `, select);
  return found;
}

function cell(kind, text, scope) {
  const found = document.createElement(kind);
  const words = document.createElement("bdi");
  words.textContent = text;
  found.append(words);
  if (scope) {
    found.scope = scope;
  }
  return found;
}

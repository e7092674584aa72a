// Tables that scripts make.

/** A table of rows of { text, href, isFigure }; the first cell of each row is its head. */
export function table(head, rows) {
  const made = document.createElement("table");
  made.createTHead().append(rowOf(head.map((text) => ({ text })), () => ["th", "col"]));
  made.createTBody().append(...rows.map((row) => rowOf(row, (place) => (place === 0 ? ["th", "row"] : ["td", null]))));
  return made;
}

function rowOf(cells, kind) {
  const row = document.createElement("tr");
  cells.forEach(({ text, href, isFigure }, place) => {
    const [name, scope] = kind(place);
    const cell = document.createElement(name);
    if (scope) {
      cell.scope = scope;
    }
    cell.className = isFigure ? "figure" : "";
    const inner = href ? cell.appendChild(document.createElement("a")) : cell;
    if (href) {
      inner.href = href;
    }
    inner.textContent = text;
    row.append(cell);
  });
  return row;
}

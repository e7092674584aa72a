// Sets the panels of a figure in rows, as many beside each other as there is room for: nothing lies out of sight.

const NARROWEST = 150; // Pixels of a panel: two beside each other on a phone.
const ROW = 270;
const BETWEEN = 85; // Of a row: for what is written below it.
const BESIDE = 22;

/** How high a figure is whose panels are set in rows of so many. */
export function heightOf(panels, width) {
  return rowsOf(panels, width) * ROW;
}

/** Returns the layout of a figure with its panels in rows; each is named by the end of its axes' names, as "2" in xaxis2. */
export function inRows(layout, panels, width) {
  const rows = rowsOf(panels, width);
  const columns = Math.ceil(panels.length / rows);
  const found = { ...layout };
  panels.forEach((end, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    const [x, y] = [`xaxis${end}`, `yaxis${end}`];
    found[x] = { ...layout[x], domain: part(column, columns, BESIDE / width) };
    found[y] = {
      ...layout[y],
      domain: part(rows - 1 - row, rows, BETWEEN / (rows * ROW)),
      showticklabels: column === 0,
      title: column === 0 ? layout.yaxis.title : undefined,
    };
  });
  return found;
}

function rowsOf(panels, width) {
  const beside = Math.max(1, Math.floor(width / NARROWEST));
  return Math.ceil(panels.length / beside);
}

/** The n-th of so many equal parts of a whole, with a share of it between them. */
function part(place, parts, between) {
  const share = (1 - between * (parts - 1)) / parts;
  const from = place * (share + between);
  return [from, Math.min(1, from + share)];
}

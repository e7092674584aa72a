// Lets somebody pick what is drawn: with a pointer what is nearest, with the arrow keys one after the other.

const NEAR = 40; // Pixels: farther away nothing is meant.

/**
 * Makes a picture one that things are picked in.
 * svg: of axes(); places: [{ at: [x, y], item }], of an item maybe several; items: in the order of the keys.
 * first: what is picked already; show: called with an item, or null; open: with one that is clicked, or Enter pressed on.
 */
export function pickable(svg, { places, items, first = null, show, open }) {
  let picked = first;
  show(picked);
  const pick = (item) => {
    if (item !== picked) {
      picked = item;
      show(item);
    }
  };
  svg.tabIndex = 0;
  svg.addEventListener("pointermove", (event) => pick(nearest(places, inside(svg, event))));
  svg.addEventListener("pointerleave", () => pick(null));
  svg.addEventListener("click", () => picked !== null && open(picked));
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && picked !== null) {
      open(picked);
    } else if (event.key === "Escape") {
      pick(null);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      const step = event.key === "ArrowRight" ? 1 : -1;
      const place = picked === null ? (step > 0 ? 0 : -1) : items.indexOf(picked) + step;
      pick(items.at(place % items.length) ?? null);
    }
  });
}

function inside(svg, event) {
  const box = svg.getBoundingClientRect();
  const { width, height } = svg.viewBox.baseVal;
  return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
}

function nearest(places, [x, y]) {
  let [best, distance] = [null, NEAR ** 2];
  for (const { at, item } of places) {
    const far = (at[0] - x) ** 2 + (at[1] - y) ** 2;
    if (far < distance) {
      [best, distance] = [item, far];
    }
  }
  return best;
}

// What a figure takes from its page: the colours of text and lines, light or dark, and the font.

/** Returns the layout of a figure in the colours that the page has now. */
export function coloured(layout) {
  const page = getComputedStyle(document.body);
  const text = page.color;
  const line = "rgba(128, 140, 150, 0.35)";
  const found = { ...layout, font: { color: text, family: page.fontFamily, size: 12 } };
  found.hoverlabel = { bgcolor: page.backgroundColor, bordercolor: text, font: { color: text }, namelength: -1 };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(name)) {
      found[name] = { ...layout[name], gridcolor: line, zerolinecolor: line, linecolor: line };
    }
  }
  found.annotations = layout.annotations?.map((note) => ({ ...note, bgcolor: page.getPropertyValue("--card"), opacity: 0.8, font: { ...note.font, color: text } }));
  return found;
}

/** Calls back when the reader goes from light to dark, or back. */
export function onColours(call) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", call);
}

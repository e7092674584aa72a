// The line under a picture that says what is picked in it.

/** Says what is picked, with a link to it; without one what can be done. */
export function readout(told, href, label, text) {
  if (!href) {
    told.textContent = "Point at a trial, or pick one with the arrow keys; Enter opens it.";
    return;
  }
  const link = document.createElement("a");
  link.href = href;
  link.textContent = label;
  told.replaceChildren(link, ` · ${text}`);
}

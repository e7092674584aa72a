// The line under a picture that says what is picked in it.

/** Says what is picked, { href, label, text }; where nothing is, what can be done. */
export function readout(told, picked) {
  if (!picked) {
    told.textContent = "Point at a trial, or pick one with the arrow keys; Enter opens it.";
    return;
  }
  const { href, label, text } = picked;
  const link = document.createElement("a");
  link.href = href;
  link.textContent = label;
  told.replaceChildren(link, ` · ${text}`);
}

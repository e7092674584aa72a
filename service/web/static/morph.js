// Makes one part of a page look like another one, changing only what differs: what is selected, focused or scrolled stays.
// Children with a data-key are the same ones wherever they are; the others go by their place.

/** Makes an element what another one is. The other one is used up. */
export function morph(element, wanted) {
  takeAttributes(element, wanted);
  const kept = new Set([...wanted.children].map(key));
  const keyed = new Map();
  for (const child of [...element.children].filter(key)) {
    if (kept.has(key(child))) {
      keyed.set(key(child), child);
    } else {
      child.remove();
    }
  }
  let at = element.firstChild;
  for (const child of [...wanted.childNodes]) {
    const known = key(child) ? keyed.get(key(child)) : at && !key(at) ? at : null;
    if (!known) {
      element.insertBefore(child, at);
      continue;
    }
    while (at && key(known) && !key(at)) {
      at = without(at); // What is known is not moved over white space: a move would take the focus from it.
    }
    if (known === at) {
      at = at.nextSibling;
    } else {
      element.insertBefore(known, at);
    }
    become(known, child);
  }
  while (at) {
    at = without(at);
  }
}

/** Removes a node; returns the one after it. */
function without(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function become(node, wanted) {
  if (node.isEqualNode(wanted)) {
    return;
  }
  if (node.nodeType === Node.ELEMENT_NODE && node.nodeName === wanted.nodeName) {
    morph(node, wanted);
  } else {
    node.replaceWith(wanted);
  }
}

function takeAttributes(element, wanted) {
  for (const { name } of [...element.attributes]) {
    if (!wanted.hasAttribute(name)) {
      element.removeAttribute(name);
    }
  }
  for (const { name, value } of wanted.attributes) {
    if (element.getAttribute(name) !== value) {
      element.setAttribute(name, value);
    }
  }
}

function key(node) {
  return node?.dataset?.key;
}

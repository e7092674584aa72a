// Lets Optuna's dashboard, whose script follows, style itself under a policy that allows no inline style but by nonce.
import { allowStyleAttributes } from "./style_attributes.js";

const { nonce } = document.querySelector("link[nonce]");
const { createElement } = document;

// Where one of its libraries looks for it.
window.__nonce__ = nonce;

document.createElement = function (name, options) {
  const element = createElement.call(this, name, options);
  if (name === "style") {
    element.nonce = nonce;
  }
  return element;
};
allowStyleAttributes();

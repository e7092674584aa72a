// Lets Optuna's dashboard, whose script follows, style itself under a policy that allows no inline style but by nonce, and
// says what becomes of what it asks for, every ten seconds: by itself it goes on showing what it had.
import { isBack, isLost, isRefused } from "./connection.js";
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

const PART = "dashboard";
const { fetch } = window;

window.fetch = async function (...given) {
  try {
    const answer = await fetch(...given);
    say(answer.status);
    return answer;
  } catch (error) {
    isLost(PART);
    throw error;
  }
};

function say(status) {
  if (status === 404) {
    isLost(PART, "This study is no longer there."); // Another one may be gone to without another page.
  } else if (status === 401 || status === 429 || status >= 500) {
    isRefused(status, PART);
  } else if (status < 400) {
    isBack(PART);
  }
}

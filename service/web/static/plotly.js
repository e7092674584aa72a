// Loads Plotly, once, on a page whose policy allows no inline style, and leaves the policy as it is.
//
// Plotly puts its rules into the sheet of the element #plotly.js-style-global where there is one: here that is the link
// to figures.css. Its attributes `style` are set as properties instead, which the policy allows and means the same.
// Of maps, which nobody draws here, it brings a style element of its own: in its place it gets one that styles nothing.
import { allowStyleAttributes } from "./style_attributes.js";

let loading = null;

/** Returns Plotly. */
export function plotly(address) {
  loading ??= load(address);
  return loading;
}

async function load(address) {
  allowStyleAttributes();
  const createElement = document.createElement;
  document.createElement = function (name, options) {
    return createElement.call(this, name === "style" ? "template" : name, options);
  };
  try {
    await script(createElement.call(document, "script"), address);
  } catch (error) {
    loading = null;
    throw error;
  } finally {
    delete document.createElement;
  }
  return window.Plotly;
}

function script(element, address) {
  return new Promise((resolve, reject) => {
    element.src = address;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(element);
  });
}

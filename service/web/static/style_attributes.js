// Lets libraries set attributes `style` under a policy that allows none: as properties, which it allows and mean the same.

/** From now on, for every element of the page. */
export function allowStyleAttributes() {
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") {
      this.style.cssText = value;
    } else {
      setAttribute.call(this, name, value);
    }
  };
}

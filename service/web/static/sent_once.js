// Sends a form once, however often its button is pressed meanwhile: two studies are not what a double click is for.

const AGAIN_MS = 5000; // Whoever has stopped the browser from sending it may send it again.

let sent = null;

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) {
    return;
  }
  if (sent === event.target) {
    event.preventDefault();
    return;
  }
  sent = event.target;
  setTimeout(forget, AGAIN_MS);
});
window.addEventListener("pageshow", forget); // Back on a page that the browser has kept.

function forget() {
  sent = null;
}

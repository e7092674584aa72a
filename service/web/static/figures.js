// Draws the figures of a study when they come into view, and again when another trial has ended.
//
//   <figure data-figure="/studies/digits/figures/slices">   its parts: templates/study/figures.html
//
// Plotly, which is large, is loaded with the first one.
import { coloured, onColours } from "./figure_colours.js";
import { writeChoices, writeTable } from "./figure_words.js";
import { plotly } from "./plotly.js";

const AGAIN_SECONDS = 10; // A study that runs need not be drawn more often.
const CONFIG = { displayModeBar: false, responsive: true, showTips: false, scrollZoom: false, doubleClick: false };

const address = document.querySelector("[data-plotly]")?.dataset.plotly;

for (const element of document.querySelectorAll("[data-figure]")) {
  follow(element);
}

function follow(element) {
  const drawing = element.querySelector(".drawing");
  const frame = drawing.parentElement;
  let query = "";
  let tag = null;
  let drawn = null;
  let isSeen = false;
  let isStale = true;
  let timer = null;
  let asked = 0;

  new IntersectionObserver(([entry]) => {
    isSeen = entry.isIntersecting;
    look();
  }, { rootMargin: "200px" }).observe(element);
  document.addEventListener("trimtab:trial", ({ detail }) => {
    if (!["running", "waiting"].includes(detail.state)) {
      isStale = true;
      timer ??= setTimeout(look, AGAIN_SECONDS * 1000);
    }
  });
  onColours(() => draw());

  function look() {
    if (isSeen && isStale && !document.hidden) {
      ask();
    }
    timer = null;
  }

  async function ask() {
    const mine = ++asked;
    isStale = false;
    const answer = await fetch(element.dataset.figure + query, { headers: tag ? { "If-None-Match": tag } : {} }).catch(() => null);
    if (mine !== asked || answer?.status === 304) {
      return;
    }
    if (!answer?.ok) {
      refuse(answer);
      return;
    }
    tag = answer.headers.get("ETag");
    drawn = await answer.json();
    show();
  }

  function refuse(answer) {
    isStale = true;
    const later = !answer || answer.status === 503 || answer.status === 429;
    say(later ? "The figure comes later: the service is busy, or away. Trying again …" : "This figure cannot be shown.");
    if (later) {
      timer ??= setTimeout(look, AGAIN_SECONDS * 1000);
    }
  }

  function show() {
    say(drawn.caption);
    writeChoices(element.querySelector(".choices"), drawn.choices, (chosen) => {
      query = `?${chosen}`;
      tag = null;
      ask();
    });
    const details = element.querySelector("details");
    details.hidden = drawn.rows.length === 0;
    writeTable(details.querySelector(".table"), drawn);
    draw();
  }

  async function draw() {
    if (!drawn?.figure) {
      frame.hidden = true;
      return;
    }
    const library = await plotly(address).catch(() => null);
    if (!library) {
      say(`${drawn.caption} The picture cannot be loaded.`);
      return;
    }
    frame.hidden = false;
    drawing.style.minWidth = `${drawn.width}px`;
    drawing.style.height = `${drawn.height}px`;
    await library.react(drawing, drawn.figure.data, coloured(drawn.figure.layout), CONFIG);
  }

  function say(text) {
    element.querySelector("figcaption").textContent = text;
  }
}

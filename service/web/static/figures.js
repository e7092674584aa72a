// Draws the figures of a study when they come into view, and again when another trial has ended.
//
//   <figure data-figure="/studies/digits/figures/slices">   its parts: templates/study/figures.html
//
// Plotly, which is large, is loaded with the first one.
import { coloured, onColours } from "./figure_colours.js";
import { writeChoices, writeTable } from "./figure_words.js";
import { plotly } from "./plotly.js";

const AGAIN_SECONDS = 10; // A study that runs need not be drawn more often.
const AWAY = "The service is busy, or away. Trying again …";
const LATER = { 202: "Being drawn: this one is much work …", 429: AWAY, 500: AWAY, 503: AWAY, undefined: AWAY };
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
      lookAgain(AGAIN_SECONDS);
    }
  });
  document.addEventListener("visibilitychange", look);
  onColours(() => draw());

  function look() {
    timer = null;
    if (isSeen && isStale && !document.hidden) {
      ask();
    }
  }

  async function ask() {
    const mine = ++asked;
    isStale = false;
    const answer = await fetch(element.dataset.figure + query, { headers: tag ? { "If-None-Match": tag } : {} }).catch(() => null);
    if (mine !== asked) {
      return;
    }
    lookAgain(answer?.headers.get("Retry-After"));
    if (answer?.status === 304) {
      return;
    }
    if (answer?.status !== 200) {
      refuse(answer?.status);
      return;
    }
    tag = answer.headers.get("ETag");
    drawn = await answer.json();
    show();
  }

  function refuse(status) {
    const later = LATER[status];
    say(later ?? "This figure cannot be shown.");
    if (later) {
      lookAgain(AGAIN_SECONDS);
    }
  }

  function lookAgain(seconds) {
    if (seconds) {
      isStale = true;
      timer ??= setTimeout(look, seconds * 1000);
    }
  }

  function show() {
    element.classList.remove("waiting");
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

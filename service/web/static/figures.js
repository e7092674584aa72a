// Draws the figures of a study when they come into view, and again when another trial has ended.
//
//   <figure data-figure="/studies/digits/figures/slices">   its parts: templates/study/figures.html
//
// Plotly, which is large, is loaded with the first one.
import { inItsWidth } from "./chart.js";
import { over, pause } from "./connection.js";
import { coloured, onColours } from "./figure_colours.js";
import { heightOf, inRows } from "./figure_panels.js";
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
  let width = 0; // For which panels were set in rows.
  let isSeen = false;
  let isStale = true;
  let timer = null;
  let asked = 0;
  let tries = 0;

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
  inItsWidth(frame, () => drawn?.panels.length && frame.clientWidth !== width && draw());

  function look() {
    if (isSeen && isStale && !document.hidden) {
      ask();
    }
  }

  async function ask() {
    const mine = ++asked;
    isStale = false;
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(element.dataset.figure + query, { headers, signal: over }).catch(() => null);
    const found = answer?.status === 200 ? await answer.json().catch(() => null) : drawn;
    if (mine === asked && !over.aborted) {
      take(answer, found);
    }
  }

  function take(answer, found) {
    const status = answer?.status;
    if (found && (status === 200 || status === 304)) {
      tries = 0;
      tag = answer.headers.get("ETag");
      lookAgain(Number(answer.headers.get("Retry-After")));
      if (drawn === found) {
        say(caption());
      } else {
        drawn = found;
        show();
      }
    } else if (status === 202) {
      say("Being drawn: this one is much work …");
      lookAgain(AGAIN_SECONDS);
    } else if (status >= 400 && status < 500 && status !== 429) {
      say("This figure cannot be shown.");
    } else {
      say("The service is busy, or away. Trying again …");
      clearTimeout(timer); // It may be for earlier.
      timer = null;
      lookAgain(pause(tries++, answer));
    }
  }

  function lookAgain(seconds) {
    if (seconds) {
      timer ??= setTimeout(() => {
        timer = null;
        isStale = true;
        look();
      }, seconds * 1000);
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
      say(`${drawn.caption} The picture cannot be loaded. Trying again …`);
      setTimeout(draw, pause(tries++) * 1000);
      return;
    }
    frame.hidden = false;
    const { figure, panels } = drawn;
    width = frame.clientWidth;
    const layout = panels.length ? inRows(figure.layout, panels, width) : figure.layout;
    const height = panels.length ? heightOf(panels, width) : drawn.height;
    drawing.style.minWidth = `${drawn.width}px`;
    drawing.style.height = `${height}px`;
    say(caption());
    await library.react(drawing, figure.data, { ...coloured(layout), height }, CONFIG);
  }

  function caption() {
    const isCut = !frame.hidden && drawn.width > frame.clientWidth;
    return isCut ? `${drawn.caption} There is more beside it: scroll the picture.` : drawn.caption;
  }

  function say(text) {
    element.querySelector("figcaption").textContent = text;
  }
}

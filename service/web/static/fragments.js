// Keeps parts of a page alive: asks for each anew every few seconds, while somebody looks.
//
//   <div data-fragment="/fragments/studies" data-seconds="4">…</div>
//
// The answer is what belongs within the element; whatever did not change in it is left alone.
import { isRefused, isBack, isLost, over, pause, retryAfter } from "./connection.js";
import { morph } from "./morph.js";
import "./tabs.js";
import { showTimes } from "./times.js";

for (const element of document.querySelectorAll("[data-fragment]")) {
  keepAlive(element);
}

function keepAlive(element) {
  const { fragment, seconds } = element.dataset;
  let tag = "";
  let tries = 0;
  let isAsking = false;
  let notBefore = 0;
  let timer = setTimeout(ask, seconds * 1000);

  document.addEventListener("visibilitychange", () => document.hidden || ask());
  window.addEventListener("online", ask);

  async function ask() {
    clearTimeout(timer);
    if (document.hidden || isAsking || over.aborted) {
      return;
    }
    const early = notBefore - performance.now();
    if (early > 0) {
      timer = setTimeout(ask, early);
      return;
    }
    isAsking = true;
    const refused = await refresh();
    isAsking = false;
    notBefore = performance.now() + 1000 * retryAfter(refused);
    timer = setTimeout(ask, (tries ? pause(tries, refused) : seconds) * 1000);
  }

  /** Asks once; returns the answer if it was a refusal. */
  async function refresh() {
    try {
      const answer = await fetch(fragment, { headers: tag ? { "If-None-Match": tag } : {}, signal: over });
      if (!answer.ok && answer.status !== 304) {
        tries += 1;
        isRefused(answer.status, fragment);
        return answer;
      }
      if (answer.ok) {
        show(element, await answer.text());
        tag = answer.headers.get("ETag") ?? "";
      }
      tries = 0;
      isBack(fragment);
    } catch {
      tries += 1;
      isLost(fragment);
    }
    return null;
  }
}

function show(element, html) {
  const wanted = element.cloneNode(false);
  // Of our own service, where a template has escaped whatever came from elsewhere; scripts within would not run.
  wanted.innerHTML = html;
  showTimes(wanted);
  morph(element, wanted);
}

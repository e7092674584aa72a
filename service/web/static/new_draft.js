// Asks the service what would become of a study, soon after each change of it.
import { BUSY, isBack, isLost, pause } from "./connection.js";
import { against, send } from "./new_sending.js";

const PAUSE_MS = 400;
const ADDRESS = "/new/draft";
const SERVICE_AWAY = 500; // And above: it may be back soon.
const TOO_MANY = 429;
const SIGNED_OUT = [401, 403]; // Until somebody signs in again, which happens in another window.

/**
 * What has a spec's JSON examined, or no more.
 *
 * @param take is given each answer that is not out of date.
 * @param refused is given what is said where there will be none.
 */
export function examiner(take, refused) {
  let timer = null;
  let mine = null;
  let tries = 0;
  let unseen = null; // The JSON that nobody examined, since nobody was signed in.

  document.addEventListener("visibilitychange", comeBack);
  window.addEventListener("focus", comeBack);
  return { examine, stop };

  function examine(json, wait = PAUSE_MS) {
    stop();
    timer = setTimeout(() => ask(json), wait);
  }

  function stop() {
    clearTimeout(timer);
    mine?.abort();
    unseen = null;
  }

  function comeBack() {
    if (unseen !== null && !document.hidden) {
      examine(unseen, 0);
    }
  }

  async function ask(json) {
    const asking = (mine = new AbortController());
    let answer;
    try {
      answer = await send(ADDRESS, json, { signal: asking.signal });
      if (answer.status >= SERVICE_AWAY || answer.status === TOO_MANY) {
        throw new Error(`${ADDRESS} answered with ${answer.status}`);
      }
      unseen = SIGNED_OUT.includes(answer.status) ? json : null;
      const said = answer.ok ? await answer.json() : await against(answer);
      tries = 0;
      isBack(ADDRESS);
      (answer.ok ? take : refused)(said);
    } catch {
      if (!asking.signal.aborted) {
        isLost(ADDRESS, answer && BUSY);
        timer = setTimeout(() => ask(json), pause(tries++, answer) * 1000);
      }
    }
  }
}

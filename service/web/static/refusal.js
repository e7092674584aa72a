// Of the page that says that the service cannot answer now: shows what was asked for as soon as it can.
import { pause } from "./connection.js";

const { content } = document.querySelector('meta[name="trimtab-again"]');

await after(Number(content));
for (let tries = 0; ; tries += 1) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (isThere(answer)) {
    break;
  }
  await after(pause(tries, answer));
}
location.reload();

/** Whether the service answers, be it that the page is no longer there. */
function isThere(answer) {
  return answer !== null && answer.status < 500 && answer.status !== 429;
}

/** Waits so many seconds, and then until somebody looks. */
async function after(seconds) {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  if (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

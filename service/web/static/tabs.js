// Has the open pages of a browser say that nobody is signed in any more as soon as one of them asks for a token.
import { isRefused } from "./connection.js";

const tabs = new BroadcastChannel("trimtab-sign-in");

if (document.getElementById("token")) {
  tabs.postMessage(null);
} else {
  tabs.onmessage = look;
}

/** Asks whether it is so: a link from another site leads to that page, too, whoever is signed in. */
async function look() {
  const answer = await fetch("/v1/version").catch(() => null);
  if (answer?.status === 401) {
    isRefused(401);
  }
}

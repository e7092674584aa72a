// How many connections the pages of a browser hold open at once. By HTTP/1.1 browsers allow six to a host, for all pages
// together: were all of them held by pages that listen, no other page would load.
//
// A page takes a place for each connection that it holds, and tells the others. Who has had one for longest gives it up
// when too many are taken, and asks now and then instead, until there is room again or somebody works with that page.

const MOST = 4; // The other two are for whatever is asked and answered at once.

const channel = new BroadcastChannel("trimtab-places");
const places = new Set(); // Those of this page.
let made = 0;

channel.onmessage = ({ data }) => hear(data);
window.addEventListener("focus", () => places.forEach((place) => place.comeForward()));
window.addEventListener("pagehide", () => places.forEach((place) => place.leave()));

/** One connection that a page holds, or would. */
export class Place {
  #name = `${Math.random()}-${(made += 1)}`;
  #newer = new Set(); // Names of places that were taken since this one was.
  #giveUp = null;

  constructor() {
    places.add(this);
  }

  /** Whether others need it more. */
  get isCrowded() {
    return this.#newer.size >= MOST;
  }

  /** Takes it; `giveUp` is called when others need it more. */
  take(giveUp) {
    if (!this.#giveUp) {
      this.#giveUp = giveUp;
      this.comeForward();
    }
  }

  leave() {
    if (this.#giveUp) {
      this.#giveUp = null;
      tell({ name: this.#name, isTaken: false });
    }
  }

  /** Has it be the last one to be given up; one that is not held, when it is taken next. */
  comeForward() {
    this.#newer.clear();
    if (this.#giveUp) {
      tell({ name: this.#name, isTaken: true });
    }
  }

  hear({ name, isTaken }) {
    if (name === this.#name) {
      return;
    }
    if (isTaken) {
      this.#newer.add(name);
    } else {
      this.#newer.delete(name);
    }
    if (this.isCrowded && this.#giveUp) {
      const giveUp = this.#giveUp;
      this.leave();
      giveUp();
    }
  }
}

/** Tells all places of the browser, those of this page among them. */
function tell(said) {
  channel.postMessage(said);
  hear(said);
}

function hear(said) {
  places.forEach((place) => place.hear(said));
}

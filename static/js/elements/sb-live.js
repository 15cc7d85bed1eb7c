import { markFresh, markSignedOut, onHint, successors } from "../core/live.js";

const FIRST_MS = 50; // after a quiet while the truth comes at once, only not from all pages together
const QUIET_MS = 500;
const LATER_MS = 250;

// What a reader has folded open stays open when the truth below it changes.
htmx.config.morphIgnore.push("open");

/** `<sb-live id topics src>` refetches `src` on a hint of its topics; `[stale]` marks old truth. */
class Live extends HTMLElement {
  #timer = 0;
  #inTurn = false; // others come first
  #since = 0; // when it was asked what is being answered
  #askedAt = -QUIET_MS;
  #busy = false;
  #again = false;
  #successors = [];

  connectedCallback() {
    this.forget = onHint((this.getAttribute("topics") ?? "").split(/\s+/), (hint) => this.soon(hint?.turn));
    this.addEventListener("htmx:before:swap", this);
    this.addEventListener("htmx:after:swap", this);
  }

  disconnectedCallback() {
    this.forget();
    clearTimeout(this.#timer);
  }

  /** Wait a little, so that ten hints make one request; what waits covers a further hint too. */
  soon(turn = 0) {
    this.setAttribute("stale", "");
    if (this.#timer && (turn || !this.#inTurn)) return;
    clearTimeout(this.#timer);
    this.#inTurn = turn > 0;
    const quiet = performance.now() - this.#askedAt > QUIET_MS;
    this.#timer = setTimeout(() => this.refresh(), (turn || Math.random() * FIRST_MS) + (quiet ? 0 : LATER_MS));
  }

  async refresh() {
    this.#timer = 0;
    this.#askedAt = performance.now();
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#since = this.#askedAt;
    try {
      const request = { target: this, source: this, swap: "outerMorph" };
      await htmx.ajax("GET", this.getAttribute("src"), request);
    } finally {
      this.#busy = false;
    }
    if (!this.#again) return;
    this.#again = false;
    this.soon();
  }

  /** @param {CustomEvent} event */
  handleEvent(event) {
    if (event.target !== this) return;
    if (event.type === "htmx:before:swap") this.#mayShow(event);
    else this.#shown();
  }

  /** An error or a sign-in page never replaces a region: old truth, marked, is better. */
  #mayShow(event) {
    const answer = event.detail.ctx.response;
    const elsewhere = answer.raw?.redirected ?? false;
    if (answer.status === 401 || elsewhere) markSignedOut();
    if (answer.status >= 400 || elsewhere) {
      event.preventDefault();
      return;
    }
    this.#successors = successors(this);
  }

  #shown() {
    markFresh();
    this.dispatchEvent(new CustomEvent("sb:fresh", { bubbles: true, detail: { since: this.#since } }));
    if (document.activeElement && document.activeElement !== document.body) return;
    const heir = this.#successors.map((id) => document.getElementById(id)).find(Boolean);
    heir?.querySelector("a, button")?.focus({ preventScroll: true });
  }
}

customElements.define("sb-live", Live);

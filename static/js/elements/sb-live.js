import { markFresh, markSignedOut, onHint } from "../core/live.js";

const DEBOUNCE_MS = 100;
const JITTER_MS = 150;

// What a reader has folded open stays open when the truth below it changes.
htmx.config.morphIgnore.push("open");

/** `<sb-live id topics src>` refetches `src` on a hint of its topics; `[stale]` marks old truth. */
class Live extends HTMLElement {
  #timer = 0;
  #busy = false;
  #again = false;
  #successors = [];

  connectedCallback() {
    this.forget = onHint((this.getAttribute("topics") ?? "").split(/\s+/), () => this.soon());
    this.addEventListener("htmx:before:swap", this);
    this.addEventListener("htmx:after:swap", this);
  }

  disconnectedCallback() {
    this.forget();
    clearTimeout(this.#timer);
  }

  /** Wait a little, so that ten hints make one request, and pages do not all ask at once. */
  soon() {
    this.setAttribute("stale", "");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), DEBOUNCE_MS + Math.random() * JITTER_MS);
  }

  async refresh() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
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
    this.dispatchEvent(new CustomEvent("sb:fresh", { bubbles: true }));
    if (document.activeElement && document.activeElement !== document.body) return;
    const heir = this.#successors.map((id) => document.getElementById(id)).find(Boolean);
    heir?.querySelector("a, button")?.focus({ preventScroll: true });
  }
}

/**
 * Return the ids of the rows that follow the focused one: if it goes, the next one takes the focus.
 * @param {Element} region
 * @returns {string[]}
 */
function successors(region) {
  const row = document.activeElement?.closest("li[id], tr[id]");
  if (!row || !region.contains(row)) return [];
  const rows = [...row.parentElement.children].map((each) => each.id).filter(Boolean);
  const at = rows.indexOf(row.id);
  return [...rows.slice(at + 1), ...rows.slice(0, at).reverse()];
}

customElements.define("sb-live", Live);

import { serverNow } from "../core/live.js";

const CALLS = [0.25, 0.05];

/** `<sb-clock data-at data-total>` counts down by the server's time; it decides nothing. */
class Clock extends HTMLElement {
  #timer = 0;
  #said = new Set();

  connectedCallback() {
    this.tick();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  tick() {
    const left = Date.parse(this.dataset.at ?? "") - serverNow();
    if (Number.isNaN(left) || this.dataset.state === "frozen") return;
    const share = left / 1000 / Number(this.dataset.total ?? Number.NaN);
    this.dataset.state = stateOf(left, share);
    const shown = this.querySelector("[data-left]");
    const text = left > 0 ? `in ${inWords(left)}` : "time is over";
    if (shown && shown.textContent !== text) shown.textContent = text;
    this.announce(left, share);
    if (left > 0) this.#timer = setTimeout(() => this.tick(), left < 120_000 ? 1000 : 10_000);
  }

  /** @param {number} left ms @param {number} share of the whole time, NaN if unknown */
  announce(left, share) {
    const due = CALLS.filter((call) => left > 0 && share <= call && !this.#said.has(call));
    if (due.length === 0) return;
    due.forEach((call) => this.#said.add(call));
    const polite = document.getElementById("said");
    if (polite) polite.textContent = `${inWords(left)} left to decide.`;
  }
}

/** @param {number} left @param {number} share */
function stateOf(left, share) {
  if (left <= 0) return "expired";
  if (share <= 0.05 || left < 60_000) return "last";
  return share <= 0.25 || left < 300_000 ? "near" : "running";
}

/** @param {number} ms @returns {string} the two largest units */
function inWords(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 120) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

customElements.define("sb-clock", Clock);

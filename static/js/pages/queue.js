/**
 * The list of reviews: arrivals come in after ten quiet seconds, what is over is marked by the hint that
 * says so, and `s` opens the choice for how long a row is put off. Nothing here changes anything on the
 * server by a key alone.
 */
import { addKey } from "../core/keys.js";
import { onHint } from "../core/live.js";
import { mark } from "../core/marks.js";

const QUIET_MS = 10_000;
let touchedAt = performance.now();
/** What is over and in no list yet that was asked for later. @type {Map<string, {word: string, at: number}>} */
const over = new Map();

for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart", "scroll"]) {
  addEventListener(kind, () => (touchedAt = performance.now()), { passive: true, capture: true });
}

/** Rows move only while nobody is at them: no pointer, no key, no focus in the list. */
function letIn() {
  const link = document.querySelector("[data-arrivals]");
  const list = document.getElementById("queue");
  if (!link || !list || document.visibilityState === "hidden") return;
  if (performance.now() - touchedAt < QUIET_MS || list.contains(document.activeElement)) return;
  if (document.querySelector("dialog[open]")) return;
  list.setAttribute("src", link.dataset.arrivals);
  list.soon();
}

/** @param {import("../core/live.js").Hint} [hint] */
function markOver(hint) {
  if (!hint?.settled) return;
  const id = `proposal-${hint.id}`;
  over.set(id, { word: hint.settled, at: performance.now() });
  mark(id, hint.settled);
}

/** A list is the truth about what was heard before it was asked for; it may be older than the rest. @param {number} since */
function markAgain(since) {
  for (const [id, { word, at }] of over) {
    if (at <= since) over.delete(id);
    else mark(id, word);
  }
}

function putOff() {
  const row = document.activeElement?.closest("[data-mine]");
  const dialog = document.getElementById("snooze");
  const link = row?.querySelector("[data-row]");
  if (!dialog || !link || dialog.open) return;
  const form = dialog.querySelector("[data-snooze]");
  form.action = `${new URL(link.href).pathname}snooze/`;
  form.querySelector("[data-what]").textContent = link.lastChild.textContent;
  dialog.showModal();
}

if (document.querySelector("template[data-settled]")) {
  onHint(["reviews.queue"], markOver);
  addEventListener("sb:fresh", (event) => event.target.id === "queue" && markAgain(event.detail.since));
}
addKey("s", "Put the row off (opens a choice)", putOff);
setInterval(letIn, 1000);

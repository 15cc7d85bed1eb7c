/**
 * The list of reviews: arrivals come in after ten quiet seconds, and `s` opens the choice for how long
 * a row is put off. Nothing here changes anything on the server by a key alone.
 */
import { addKey } from "../core/keys.js";

const QUIET_MS = 10_000;
let touchedAt = performance.now();

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

addKey("s", "Put the row off (opens a choice)", putOff);
setInterval(letIn, 1000);

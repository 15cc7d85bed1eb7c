/** Keys of a change, and folds that open in place. Without script a fold is a link to the same page. */
import { addKey } from "../core/keys.js";

const region = () => document.getElementById("proposal");
const hunks = () => [...document.querySelectorAll("[data-hunk]")];
const looked = `sb:looked:${document.querySelector("[data-current-digest]")?.dataset.currentDigest}`;
const ticked = new Set(JSON.parse(sessionStorage.getItem(looked) ?? "[]"));

const later = (what) => async () => (await import("./whole.js"))[what](openFold);

/** The hunk that has the focus, or the last one above it. */
function here() {
  const active = document.activeElement;
  const all = hunks();
  const own = all.findIndex((hunk) => hunk.contains(active));
  if (own >= 0 || !active || active === document.body) return own;
  return all.findLastIndex((hunk) => active.compareDocumentPosition(hunk) & Node.DOCUMENT_POSITION_PRECEDING);
}

function go(at) {
  const hunk = hunks()[Math.max(0, Math.min(hunks().length - 1, at))];
  const target = hunk?.querySelector("[data-open-fold]") ?? hunk;
  target?.focus({ preventScroll: true });
  hunk?.scrollIntoView({ block: "center" });
}

/** Mark the change under the focus as looked at: a fold is opened, anything else is ticked off. */
function look() {
  const at = Math.max(0, here());
  const hunk = hunks()[at];
  const fold = hunk?.querySelector("[data-open-fold]");
  if (fold) return fold.click();
  if (hunk?.id) ticked.has(hunk.id) ? ticked.delete(hunk.id) : ticked.add(hunk.id);
  sessionStorage.setItem(looked, JSON.stringify([...ticked]));
  tick();
  go(at + 1);
}

function tick() {
  for (const hunk of hunks()) hunk.toggleAttribute("data-looked", ticked.has(hunk.id));
}

function open(event) {
  const link = event.target.closest?.("a[data-open-fold]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  openFold(link);
}

/** @param {HTMLAnchorElement} link */
async function openFold(link) {
  const url = new URL(link.href);
  const part = new URL(url);
  part.searchParams.set("part", "now");
  part.hash = "";
  await htmx.ajax("GET", part.href, { target: region(), source: region(), swap: "outerMorph" });
  history.replaceState(null, "", url);
  for (const more of document.querySelectorAll("details[data-fold]")) more.open ||= link.dataset.key === "e";
  const row = document.getElementById(decodeURIComponent(url.hash.slice(1)));
  if (!row?.matches("tr")) return;
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "p" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  later("print")();
});
document.addEventListener("click", open);
addEventListener("sb:fresh", tick);
addKey("/", "Search in the change", () => {
  const bar = document.getElementById("find");
  if (bar.hidden) bar.back = document.activeElement;
  bar.hidden = false; // at once: what is typed next is meant for it
  bar.querySelector("input").focus();
  later("find")();
});
addKey("n", "Next change", () => go(here() + 1));
addKey("p", "Previous change", () => go(here() - 1));
addKey("x", "Mark a change as looked at; open it if it is folded", look);
tick();

/**
 * Keys of a page. Handlers, the list that `?` opens and the menu of `.` come from one table. A key
 * opens, moves or selects; no key alone changes anything on the server.
 */

/** @typedef {{key: string, text: string, act: (event?: KeyboardEvent) => void}} Key */

const person = document.body.dataset.person;
export const OFF = `sb:keys-off:${person}`;
export const CHOSEN = `sb:keys:${person}`;
const TYPING = 'input:not([type="radio"], [type="checkbox"], [type="button"], [type="submit"]), textarea, select, [contenteditable]';
const LEADER_MS = 1500;

/** @type {Map<string, Key>} */
export const table = new Map();
let leader = 0;

/** @param {string} key the usual one @returns {string} the one that this person presses; core/keymap.js */
export function chosen(key) {
  return JSON.parse(localStorage.getItem(CHOSEN) ?? "{}")[key] ?? key;
}

/** @param {string} key @param {string} text @param {Key["act"]} act */
export function addKey(key, text, act) {
  table.set(key, { key, text, act });
}

/** @param {Element} element Links and plain buttons are pressed; what sends gets the focus, and waits for Enter. */
export function moveTo(element) {
  element.focus();
  if (element.matches('a, summary, button[type="button"]')) element.click();
  else if (element.type === "submit") element.onkeydown = (event) => event.key !== " "; // typing goes on with a space
}

export function rows() {
  const list = document.querySelector("[data-key-list]");
  if (!list) return [];
  const marked = [...list.querySelectorAll("a[data-row]")];
  if (marked.length > 0) return marked.filter((link) => link.checkVisibility());
  return [...list.querySelectorAll("li, tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
}

/** @param {1 | -1} step */
function walk(step) {
  const links = rows();
  const active = document.activeElement;
  const here = links.findIndex((link) => link === active || link.closest("li, tr")?.contains(active));
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
}

/** Tick or untick the box of the row that has the focus; nothing is sent. */
function selectRow() {
  document.activeElement?.closest("li, tr")?.querySelector("[data-pick]")?.click();
}

/** What few ask for is loaded when they do. @param {"openList" | "openActions"} what */
const later = (what) => async () => (await import("./actions.js"))[what]();

const find = async () => (await import("./palette.js")).openPalette();

function listKeys() {
  if (rows().length === 0) return;
  addKey("j", "Next row", () => walk(1));
  addKey("k", "Previous row", () => walk(-1));
  if (document.querySelector("[data-pick]")) addKey("x", "Select row", selectRow);
  addKey("o", "Open row, as Enter does", () => rows().find((link) => link === document.activeElement)?.click());
}

function pageKeys() {
  for (const element of document.querySelectorAll("[data-key]")) {
    const key = element.dataset.key;
    const text = element.title || element.getAttribute("aria-label") || element.textContent.trim();
    addKey(key, text, () => moveTo(element));
  }
  for (const element of document.querySelectorAll("[data-go]")) {
    addKey(`g ${element.dataset.go}`, `Go to ${element.dataset.goName}`, () => element.click());
  }
}

/** @param {KeyboardEvent} event */
function ignored(event) {
  if (event.defaultPrevented || event.repeat || event.isComposing) return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (document.querySelector("dialog[open]") || localStorage.getItem(OFF)) return true;
  return event.target instanceof Element && event.target.closest(TYPING) !== null;
}

document.addEventListener("keydown", (event) => {
  if (ignored(event)) return;
  const led = Date.now() - leader < LEADER_MS;
  leader = 0;
  if (event.key === chosen("g") && !led) {
    leader = Date.now();
    return;
  }
  const found = led ? table.get(`g ${event.key}`) : [...table.values()].find((each) => chosen(each.key) === event.key);
  if (!found) return;
  event.preventDefault();
  found.act(event);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  find();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
  if (!menu && !ignored(event)) document.querySelector("a[data-escape]")?.click();
});

document.addEventListener("click", (event) => {
  const menu = document.querySelector("details[data-menu][open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

// On a phone the rooms are wider than the screen; the one that is open is brought into view.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

for (const keys of [listKeys, pageKeys]) {
  keys();
  addEventListener("sb:fresh", keys); // what a key presses may be another element now
}
addKey(".", "Actions", later("openActions"));
addKey("?", "Keys of this page", later("openList"));
for (const button of document.querySelectorAll("[data-open-keys]")) {
  button.hidden = false;
  button.addEventListener("click", later("openList"));
}
document.querySelector("[data-find]")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  find();
});
for (const cap of document.querySelectorAll("[data-cap]")) cap.textContent = chosen(cap.dataset.cap);

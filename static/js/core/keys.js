/**
 * Keys of a page. Handlers and the list that `?` opens come from one table. A key opens, moves or
 * selects; no key alone changes anything on the server.
 */

/** @typedef {{key: string, text: string, act: (event: KeyboardEvent) => void}} Key */

const OFF = "sb:keys-off";
const TYPING = 'input:not([type="radio"], [type="checkbox"], [type="button"], [type="submit"]), textarea, select, [contenteditable]';
const LEADER_MS = 1500;

/** @type {Map<string, Key>} */
const table = new Map();
let leader = 0;

/** @param {string} key @param {string} text @param {Key["act"]} act */
export function addKey(key, text, act) {
  table.set(key, { key, text, act });
}

/** @param {Element} element Links and plain buttons are pressed; whatever sends is only focused. */
export function moveTo(element) {
  if (element instanceof HTMLAnchorElement) element.click();
  else if (element instanceof HTMLButtonElement && element.type === "button") element.click();
  else if (element.tagName === "SUMMARY") element.click();
  else element.focus();
}

function rows() {
  const list = document.querySelector("[data-key-list]");
  if (!list) return [];
  const marked = [...list.querySelectorAll("a[data-row]")];
  if (marked.length > 0) return marked;
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
}

function goKeys() {
  for (const element of document.querySelectorAll("[data-go]")) {
    addKey(`g ${element.dataset.go}`, `Go to ${element.dataset.goName}`, () => element.click());
  }
}

function openList() {
  const dialog = document.getElementById("keys");
  const list = dialog?.querySelector("[data-key-table]");
  if (!dialog || !list || dialog.open) return;
  list.replaceChildren(...[...table.values()].map(line));
  dialog.showModal();
}

/** @param {Key} key */
function line(key) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const keys = document.createElement("dd");
  term.textContent = key.text;
  for (const part of key.key.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = part;
    keys.append(cap, " ");
  }
  group.append(term, keys);
  return group;
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
  if (event.key === "g" && !led) {
    leader = Date.now();
    return;
  }
  const found = table.get(led ? `g ${event.key}` : event.key);
  if (!found) return;
  event.preventDefault();
  found.act(event);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
});

document.addEventListener("click", (event) => {
  const menu = document.querySelector("details[data-menu][open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

// On a phone the rooms are wider than the screen; the one that is open is brought into view.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

listKeys();
pageKeys();
goKeys();
addEventListener("sb:fresh", listKeys);
addEventListener("sb:fresh", pageKeys); // what a key presses may be another element now
addKey("?", "Keys of this page", openList);
for (const button of document.querySelectorAll("[data-open-keys]")) {
  button.hidden = false;
  button.addEventListener("click", openList);
}
const off = document.querySelector("[data-keys-off]");
if (off) {
  off.checked = Boolean(localStorage.getItem(OFF));
  off.addEventListener("change", () =>
    off.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF),
  );
}

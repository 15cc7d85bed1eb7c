/** What `?` and `.` open: the keys of the page, and what can be done with a row or the page. */
import { OFF, chosen, moveTo, rows, table } from "./keys.js";
import { openMenu } from "./menu.js";

/** @typedef {import("./keys.js").Key} Key */

export function openList() {
  const dialog = document.getElementById("keys");
  if (!dialog || dialog.open) return;
  dialog.querySelector("[data-key-table]").replaceChildren(...[...table.values()].map(line));
  const off = dialog.querySelector("[data-keys-off]");
  off.checked = localStorage.getItem(OFF) !== null;
  off.onchange = () => (off.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF));
  dialog.showModal();
}

/** @param {Key} key */
function line(key) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const keys = document.createElement("dd");
  term.textContent = key.text;
  for (const [no, part] of key.key.split(" ").entries()) {
    const cap = document.createElement("kbd");
    cap.textContent = no ? part : chosen(part); // the second of two keys is a name's first letter
    keys.append(cap, " ");
  }
  group.append(term, keys);
  return group;
}

/** Actions of the row that has the focus, or of the page where it lists nothing. */
export function openActions() {
  if (document.querySelector("dialog[open]")) return; // opened while this was being loaded
  const links = rows();
  if (links.length === 0) {
    const own = [...table.values()].filter((each) => ![".", "?"].includes(each.key) && !each.key.startsWith("g "));
    if (own.length) openMenu(document.querySelector("h1"), "Actions of this page", own.map(capped));
    return;
  }
  if (!rowOf(document.activeElement)) links[0].focus();
  const row = rowOf(document.activeElement);
  if (!row) return;
  const link = row.querySelector("a[data-row], a");
  const title = link.lastChild.textContent.trim();
  openMenu(link, `Actions: ${title}`, actionsOf(row).map(capped));
}

/** @param {Element} element */
function rowOf(element) {
  return element.closest("[data-key-list] li, [data-key-list] tr");
}

/** All of it is on the page already, as a link, a box or a key. @param {Element} row @returns {Key[]} */
function actionsOf(row) {
  const link = row.querySelector("a[data-row], a");
  const box = row.querySelector("[data-pick]");
  const same = [...row.querySelectorAll(":scope > .row-same > :is(a, details)")];
  const items = [{ key: "o", text: "Open", act: () => link.click() }];
  if (box) items.push({ key: "x", text: box.checked ? "Take out of the selection" : "Select", act: () => box.click() });
  for (const each of same) {
    const summary = each.querySelector("summary");
    const text = summary ? `${each.open ? "Hide" : "Show"} the identical ones` : each.textContent.trim();
    items.push({ key: "", text, act: () => moveTo(summary ?? each) });
  }
  if (table.has("s") && row.matches("[data-mine]")) items.push({ ...table.get("s"), text: "Put off…" });
  return items;
}

/** @param {Key} item */
function capped(item) {
  return { ...item, cap: item.key && chosen(item.key) };
}

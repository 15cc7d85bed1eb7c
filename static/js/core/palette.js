/**
 * Ctrl K: where to go, what has an id, and what can be done on this page. Nothing here acts by itself:
 * a link is followed, and a control only gets the focus.
 */
import { chosen } from "./keys.js";

const CONTROLS = "button, summary, a.button, a[data-key], input:is([type='radio'], [type='checkbox']), textarea, select";
const QUIET_MS = 150;

/** @typedef {{text: string, key: string, at: HTMLElement}} Control */

const dialog = document.createElement("dialog");
const field = document.createElement("input");
const here = document.createElement("ul");
const found = document.createElement("div");
const said = document.createElement("p");
/** @type {Control[]} */
let controls = [];
let timer = 0;

function make() {
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Find");
  field.type = "search";
  field.maxLength = 200;
  field.autocomplete = "off";
  field.spellcheck = false;
  field.placeholder = "Page, id, or what to do here";
  field.setAttribute("aria-label", "Page, id, or what to do here");
  here.className = "ways";
  here.setAttribute("aria-label", "On this page");
  found.id = found.className = "found";
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  dialog.append(field, found, here, said);
  dialog.addEventListener("keydown", press);
  field.addEventListener("input", () => {
    list();
    clearTimeout(timer);
    timer = setTimeout(ask, QUIET_MS);
  });
  dialog.addEventListener("htmx:after:swap", fresh);
  document.getElementById("main").after(dialog);
}

/** Over any page but the one that is for finding. */
export function openPalette() {
  const own = document.getElementById("find-text");
  if (own) return own.select();
  if (dialog.open) return dialog.close();
  if (document.querySelector("dialog[open]")) return;
  if (!dialog.isConnected) make();
  controls = [...document.querySelectorAll(`main :is(${CONTROLS})`)].filter(usable).map(control);
  field.value = "";
  list();
  dialog.showModal();
  field.focus();
  ask();
}

/** @param {HTMLElement} each */
function usable(each) {
  return each.checkVisibility() && !each.matches(":disabled, [tabindex='-1'], [readonly]") && nameOf(each) !== "";
}

/** @param {HTMLElement} each @returns {Control} */
function control(each) {
  const cap = each.closest("label")?.querySelector("[data-cap]")?.dataset.cap ?? each.dataset.key;
  return { text: nameOf(each), key: cap ? chosen(cap) : "", at: each };
}

/** What a control is called, without the keys that stand in it. @param {HTMLElement} each */
function nameOf(each) {
  const label = each.labels?.[0] ?? each;
  const copy = label.cloneNode(true);
  copy.querySelectorAll("kbd, .optional, select").forEach((cap) => cap.remove());
  return (each.getAttribute("aria-label") ?? copy.textContent).trim().replaceAll(/\s+/g, " ");
}

function list() {
  const words = field.value.toLowerCase().split(/\s+/);
  const fitting = controls.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)));
  here.replaceChildren(...fitting.map(item));
  // What can be done here is what somebody types for; before that it would only hide the rooms.
  document.getElementById("found")[field.value ? "before" : "after"](here);
}

/** @param {Control} one */
function item({ text, key, at }) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  const kind = document.createElement("span");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => {
    dialog.close();
    at.focus({ preventScroll: true });
    at.scrollIntoView({ block: "center" });
  });
  kind.className = "muted";
  kind.textContent = "on this page";
  line.append(button, " ", kind);
  if (key) {
    const cap = document.createElement("kbd");
    cap.setAttribute("aria-hidden", "true");
    cap.textContent = key;
    line.append(cap);
  }
  return line;
}

function ask() {
  const url = new URL(document.querySelector("[data-find]").href);
  url.searchParams.set("q", field.value);
  url.searchParams.set("part", "found");
  const at = document.getElementById("found");
  htmx.ajax("GET", url.href, { target: at, source: at, swap: "outerMorph" });
}

function fresh() {
  for (const cap of dialog.querySelectorAll("[data-cap]")) cap.textContent = chosen(cap.dataset.cap);
  said.textContent = `${items().length} found`;
}

/** @returns {HTMLElement[]} */
function items() {
  return [...dialog.querySelectorAll("li > :is(a, button)")];
}

/** Arrows walk from the field through what was found; Enter in the field takes the first. @param {KeyboardEvent} event */
function press(event) {
  const types = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
  if (types && event.target !== field) field.focus(); // and the letter goes there
  const all = items();
  const at = all.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) (all[at + step] ?? field).focus();
  else if (event.key === "Enter" && event.target === field && !event.isComposing) all[0]?.click();
  else return;
  event.preventDefault();
}

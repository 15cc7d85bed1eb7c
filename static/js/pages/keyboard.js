/** The page of keys: another key for each act, back to the usual ones, and all of them off. */
import { KEYS, choose, isOff, reset, switchOff } from "../core/keymap.js";
import { chosen } from "../core/keys.js";

const sheet = document.querySelector("[data-keyboard]");
const off = sheet.querySelector("[data-off]");
const wrong = sheet.querySelector("[data-wrong]");
const said = sheet.querySelector("[data-said]");

/** @param {string} refusal @param {string} done */
function tell(refusal, done) {
  wrong.textContent = refusal;
  wrong.hidden = !refusal;
  said.textContent = refusal ? "" : done;
}

/** @param {string} key @param {string} text */
function row(key, text) {
  const line = document.createElement("tr");
  const [own, what, usual] = ["td", "th", "td"].map((name) => line.appendChild(document.createElement(name)));
  const field = document.createElement("input");
  field.id = `key-${key.codePointAt(0)}`;
  field.value = chosen(key);
  field.size = 2;
  field.autocomplete = "off";
  field.autocapitalize = "none";
  field.spellcheck = false;
  field.setAttribute("aria-label", `Key: ${text}`);
  field.addEventListener("focus", () => field.select());
  field.addEventListener("change", () => change(field, key, text));
  own.append(field);
  what.scope = "row";
  what.textContent = text;
  const cap = document.createElement("kbd");
  cap.textContent = key;
  usual.append(cap);
  return line;
}

/** @param {HTMLInputElement} field @param {string} key @param {string} text */
function change(field, key, text) {
  const refusal = choose(key, field.value.trim());
  field.toggleAttribute("aria-invalid", Boolean(refusal));
  if (refusal) field.setAttribute("aria-describedby", "keyboard-wrong");
  else field.removeAttribute("aria-describedby");
  field.value = chosen(key);
  if (refusal) field.select(); // the next key that is pressed takes its place
  tell(refusal, `“${chosen(key)}” is the key for “${text}” now.`);
}

function fill() {
  sheet.querySelector("[data-rows]").replaceChildren(...[...KEYS].map(([key, text]) => row(key, text)));
  off.checked = isOff();
}

sheet.querySelector("[data-reset]").addEventListener("click", () => {
  reset();
  fill();
  tell("", "All keys are the usual ones again.");
});
off.addEventListener("change", () => {
  switchOff(off.checked);
  tell("", off.checked ? "Single keys do nothing now." : "Single keys work again.");
});
fill();
document.querySelector("[data-no-keyboard]").hidden = true;
sheet.hidden = false;

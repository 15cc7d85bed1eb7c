/**
 * Every single key of the console, once, and choosing another one. What is chosen stays in this
 * browser, for each person apart; core/keys.js reads it with every key. A test compares the table
 * with the keys of all pages.
 */
import { CHOSEN, OFF, chosen } from "./keys.js";

/** Usual key and what it does, wherever it does something. */
export const KEYS = new Map([
  ["j", "Next row; next proposal of the list"],
  ["k", "Previous row; previous proposal of the list"],
  ["o", "Open the row"],
  ["u", "Saved views; back to the list"],
  ["x", "Select the row; mark a change as looked at"],
  ["s", "Put off (opens a choice)"],
  ["n", "Next page; next change"],
  ["p", "Previous change"],
  ["v", "Next view of the change"],
  ["e", "Expand all folds"],
  ["c", "Go to Claim or Put back"],
  ["q", "Ask the agent, or ask for changes"],
  ["w", "Edit the arguments"],
  ["a", "Select Approve (sends nothing)"],
  ["r", "Select Reject, go to the reason (sends nothing)"],
  [".", "Actions of the row or the page"],
  ["/", "Filter the list; search in the change"],
  ["g", "First of two keys: go to a section"],
  ["?", "Keys of the page"],
]);

const ONE_SIGN = /^[^\s\p{C}]$/u;

/**
 * Press another key for something from now on.
 * @param {string} key the usual one @param {string} other
 * @returns {string} why not, or ""
 */
export function choose(key, other) {
  if (!ONE_SIGN.test(other)) return "Press one letter, digit or sign; a space or nothing is no key.";
  const holder = [...KEYS.keys()].find((each) => each !== key && chosen(each) === other);
  if (holder) return `“${other}” is the key for “${KEYS.get(holder)}” already; choose another.`;
  const { [key]: _usual, ...rest } = JSON.parse(localStorage.getItem(CHOSEN) ?? "{}");
  keep(other === key ? rest : { ...rest, [key]: other });
  return "";
}

export function reset() {
  keep({});
}

/** @param {Record<string, string>} map */
function keep(map) {
  if (Object.keys(map).length) localStorage.setItem(CHOSEN, JSON.stringify(map));
  else localStorage.removeItem(CHOSEN);
}

export function isOff() {
  return localStorage.getItem(OFF) !== null;
}

/** @param {boolean} off */
export function switchOff(off) {
  if (off) localStorage.setItem(OFF, "1");
  else localStorage.removeItem(OFF);
}

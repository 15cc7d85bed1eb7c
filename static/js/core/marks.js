/**
 * What a hint says is over shows at once, in the row that is there and in the words that the server gave
 * the page. A mark takes away and never gives; the refetch that follows is the truth and writes over it.
 */

/** Of a row alone, not of the rows within it: what can be done with it, and what stops being true. */
const GOES = [
  ".row-plates > [data-pick]",
  "span > .row-title > .visually-hidden",
  "span > .row-meta > :is(.row-why, .row-people)",
].map((each) => `:scope > ${each}`);

/**
 * @param {string} id of the row
 * @param {string} word how it ended, as the hint has it; one that the page does not know marks nothing
 */
export function mark(id, word) {
  const sign = document.querySelector(`template[data-settled="${CSS.escape(word)}"]`);
  const row = document.getElementById(id);
  if (!sign || !row) return;
  const known = row.hasAttribute("data-gone");
  end(row, sign);
  endGroup(row.closest(".row-same"), sign);
  if (!known) say(row);
}

/** @param {Element} row @param {HTMLTemplateElement} sign */
function end(row, sign) {
  row.setAttribute("data-gone", "");
  row.removeAttribute("data-mine");
  takeAway(row, GOES);
  row.querySelector(":scope > .row-end").replaceChildren(sign.content.cloneNode(true));
}

/**
 * A row that stands for identical ones decides all of them or none, so it decides nothing until it is anew.
 * @param {Element | null} same @param {HTMLTemplateElement} sign
 */
function endGroup(same, sign) {
  const row = same?.parentElement;
  if (!row) return;
  takeAway(row, [GOES[0], ":scope > .row-same > [data-decide]"]);
  if ([...same.querySelectorAll(".row")].every((each) => each.hasAttribute("data-gone"))) end(row, sign);
}

/** @param {Element} row @param {string[]} what */
function takeAway(row, what) {
  for (const each of row.querySelectorAll(what.join(", "))) {
    if (each === document.activeElement) row.querySelector("a[data-row]").focus({ preventScroll: true });
    each.remove();
  }
}

/** @param {Element} row */
function say(row) {
  const [title, word] = ["a[data-row]", ".row-end"].map((each) => row.querySelector(each).textContent.trim());
  const said = document.getElementById("said");
  if (said) said.textContent = `${title}: ${word}.`;
}

/**
 * The change as a whole. Printing opens all there is first: nothing that changes stays folded on paper.
 * `/` searches in it. Enter asks the server to open the folds that hold the text, and only
 * those: what is opened counts as shown. The matches are marked without touching the page's elements.
 */
const CELLS = "td, th, dd, dt, pre, h3";
const ALL = "found";
const NOW = "found-now";

const bar = document.getElementById("find");
const field = bar.querySelector("input");
const said = bar.querySelector("[data-said]");
const region = () => document.getElementById("proposal");
const change = () => document.querySelector("section.change");

let asked = ""; // what the server was asked for
let matches = [];
let at = -1;

/** Texts of a cell with where they stand; what only screen readers get is no part of it. @param {Element} cell */
function textsOf(cell) {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement.closest(".visually-hidden") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
  );
  const texts = [];
  for (let length = 0; walker.nextNode(); length += walker.currentNode.data.length) {
    texts.push({ node: walker.currentNode, start: length });
  }
  return texts;
}

/** A match may begin in one marked word and end in another. @param {Element} cell @param {string} wanted */
function rangesIn(cell, wanted) {
  const texts = textsOf(cell);
  const whole = texts.map(({ node }) => node.data).join("");
  const lower = whole.toLowerCase();
  const found = [];
  if (lower.length !== whole.length) return found; // letters that change their length would shift the marks
  const place = (offset) => texts.findLast(({ start }) => start <= offset);
  for (let from = lower.indexOf(wanted); from >= 0; from = lower.indexOf(wanted, from + wanted.length)) {
    const range = new Range();
    const [first, last] = [place(from), place(from + wanted.length - 1)];
    range.setStart(first.node, from - first.start);
    range.setEnd(last.node, from + wanted.length - last.start);
    found.push(range);
  }
  return found;
}

/** Find again in what is on the page now; a region that was refetched has other texts. */
function mark() {
  const wanted = asked.toLowerCase();
  matches = wanted ? [...(change()?.querySelectorAll(CELLS) ?? [])].flatMap((cell) => rangesIn(cell, wanted)) : [];
  at = Math.min(at, matches.length - 1);
  for (const range of matches) range.startContainer.parentElement.closest("details:not([open])")?.setAttribute("open", "");
  if (!CSS.highlights) return;
  CSS.highlights.set(ALL, new Highlight(...matches));
  CSS.highlights.set(NOW, new Highlight(...matches.slice(Math.max(0, at), at + 1)));
}

function tell() {
  const left = Number(change()?.dataset.left);
  const more = left ? `, and ${left} more folds hold it` : "";
  if (!asked) said.textContent = "";
  else said.textContent = matches.length ? `${at + 1} of ${matches.length}${more}` : `Not found${more}`;
}

/** @param {number} step */
function go(step) {
  if (matches.length) at = (at + step + matches.length) % matches.length;
  mark();
  matches[at]?.startContainer.parentElement.scrollIntoView({ block: "center" });
  tell();
}

async function search() {
  asked = field.value.trim();
  at = -1;
  if (asked && change()?.querySelector("tr.fold")) {
    const url = new URL(region().getAttribute("src"), location.href);
    url.searchParams.set("find", asked);
    await htmx.ajax("GET", url.href, { target: region(), source: region(), swap: "outerMorph" });
    const kept = new URL(region().getAttribute("src"), location.href); // it names what is open now
    kept.searchParams.delete("part");
    history.replaceState(null, "", kept);
  }
  mark();
  go(1);
}

/** The bar is open and has the focus already; what was typed while this was being loaded stays. */
export function find() {
  if ("ready" in bar.dataset) field.select();
  bar.dataset.ready = "";
}

function close() {
  document.activeElement?.blur(); // hidden alone would keep it until the next frame, and eat keys
  bar.hidden = true;
  asked = "";
  mark();
  tell();
  if (bar.back?.isConnected) bar.back.focus({ preventScroll: true });
}

/** @param {(link: HTMLAnchorElement) => Promise<void>} openFold */
export async function print(openFold) {
  const all = document.querySelector('a[data-open-fold][data-key="e"]');
  if (all && document.querySelector("section.change tr.fold")) await openFold(all);
  globalThis.print();
}

bar.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  else if (event.key === "Enter" && event.target === field && !event.isComposing) {
    if (field.value.trim() === asked && asked) go(event.shiftKey ? -1 : 1);
    else search();
  } else return;
  event.preventDefault();
  event.stopPropagation();
});
bar.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-close")) close();
  else if (button && field.value.trim() !== asked) search();
  else if (button) go(Number(button.dataset.step));
});
addEventListener("sb:fresh", () => asked && (mark(), tell()));

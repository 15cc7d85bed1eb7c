/**
 * A draft for every form in which somebody types. The page that an accepted form leads to is its
 * receipt and removes the draft; a refusal, a sign-in or a line that broke keep it.
 */
import { dropDraft, dropOne, keepDraft, slots } from "./drafts.js";

const SENT = "sb:sent";
const UNTYPED = new Set(["csrfmiddlewaretoken", "idempotency_key", "next", "assertion", "previewed"]);
const known = new WeakMap();

/** Only an accepted form is answered by a redirect, and nobody is known on the way to a sign-in. */
function receive() {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  const [visit] = performance.getEntriesByType("navigation");
  const ok = visit?.redirectCount > 0 && (visit.responseStatus || 200) < 400;
  if (!sent || !ok || !document.body.dataset.person) return;
  const { draft, alone } = JSON.parse(sent);
  (alone ? dropDraft : dropOne)(draft);
}

/** @param {HTMLFormElement} form @returns {string} person:object:revision */
function draftOf(form) {
  const hidden = [...form.elements].filter((each) => each.type === "hidden" && !UNTYPED.has(each.name));
  const parts = [pathOf(form), hidden.map((each) => `${each.name}=${each.value}`).join("&")];
  return [document.body.dataset.person, ...parts.map(encodeURIComponent)].join(":");
}

/** @param {HTMLFormElement} form */
function pathOf(form) {
  return new URL(form.getAttribute("action") || "", location.href).pathname;
}

/** @param {HTMLFormElement} form */
function keep(form) {
  if (known.has(form) || form.method !== "post" || "draft" in form.dataset || !slots(form).size) return;
  const draft = draftOf(form);
  const alone = [...document.forms].filter((each) => pathOf(each) === pathOf(form)).length === 1;
  known.set(form, { draft, alone });
  const { back, missed } = keepDraft(form, () => {}, draft, alone);
  if (back || missed.length) tell(form, back, missed);
}

/** Say at the end of the form what is back, and show what has no place there any more. */
function tell(form, back, missed) {
  const said = document.createElement("div");
  said.className = "field";
  const line = document.createElement("p");
  line.className = "help";
  line.append(back ? "What you had typed is back. " : "This changed since you typed here; your text is kept below. ");
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "button quiet small";
  drop.textContent = "Discard it";
  drop.addEventListener("click", () => {
    form.reset();
    dropOne(known.get(form).draft);
    said.remove();
  });
  line.append(drop);
  said.append(line);
  for (const text of missed) {
    const field = document.createElement("textarea");
    field.readOnly = true;
    field.value = text;
    field.setAttribute("aria-label", "What you had typed before this changed");
    said.append(field);
  }
  form.append(said);
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

receive();
if (document.body.dataset.person) {
  for (const form of document.forms) keep(form);
  document.addEventListener("focusin", ({ target }) => target.form && keep(target.form)); // came later
  document.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (!defaultPrevented && known.has(target)) sessionStorage.setItem(SENT, JSON.stringify(known.get(target)));
  });
}

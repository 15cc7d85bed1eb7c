/**
 * Drafts: what was typed into a form survives a refusal, an expired sign-in and a closed tab. Keys are
 * (person, object, revision); a new revision takes over the text of the one before.
 */

const PREFIX = "sb:draft:";
const EVERY_MS = 500;
const KEPT_MS = 7 * 24 * 3600 * 1000;
const TYPED = new Set("textarea select-one radio text number url email tel date time datetime-local".split(" "));
const SECRET = /password|one-time-code|username/;

/** @typedef {{at: number, text: Record<string, string>, was?: Record<string, string>}} Kept */

/**
 * What a person types or chooses in a form, by name. Ticks are left out: one may be a consent.
 * @param {HTMLFormElement} form
 * @returns {Map<string, {start: string, value: string}>} what the page came with, and what is there now
 */
export function slots(form) {
  const found = new Map();
  for (const each of form.elements) {
    if (!TYPED.has(each.type) || !each.name || each.readOnly || SECRET.test(each.autocomplete)) continue;
    let name = each.type === "radio" ? `${each.name}=${each.value}` : each.name;
    while (found.has(name)) name += "+"; // lines of a table share their names
    found.set(name, slot(each));
  }
  return found;
}

function slot(field) {
  if (field.type === "radio")
    return {
      radio: true,
      start: field.defaultChecked ? "1" : "",
      get value() { return field.checked ? "1" : ""; },
      set value(text) { if (!field.disabled) field.checked = text !== ""; },
    };
  const chosen = field.options && [...field.options].find((each) => each.defaultSelected);
  return {
    start: field.options ? (chosen ?? field.options[0])?.value ?? "" : field.defaultValue,
    get value() { return field.value; },
    set value(text) { field.value = text; },
  };
}

/** @param {string} key @returns {Kept | null} */
function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    return kept && Date.now() - kept.at < KEPT_MS ? kept : null;
  } catch {
    return null;
  }
}

/** @param {string} draft person:object:revision */
function olderOf(draft) {
  const object = PREFIX + draft.split(":").slice(0, 2).join(":") + ":";
  const kept = Object.keys(localStorage).filter((key) => key.startsWith(object));
  return kept.map(read).filter(Boolean).sort((a, b) => b.at - a.at)[0] ?? null;
}

/**
 * Put a draft into what is still as the page came. A choice is restored for its own revision only.
 * @returns {{back: number, missed: string[]}} how many came back, and texts that have no place any more
 */
function restore(form, kept, own) {
  let back = 0;
  const missed = [];
  const here = slots(form);
  for (const [name, text] of Object.entries(kept.text)) {
    const each = here.get(name);
    if (!each || each.value !== each.start || text === each.start) continue;
    const was = kept.was?.[name] ?? "";
    if (each.radio ? own : each.start === was || each.start === "") {
      each.value = text;
      back += 1;
    } else if (!each.radio && text && text !== was) missed.push(text);
  }
  return { back, missed };
}

/**
 * Restore and keep the draft of a form.
 * @param {HTMLFormElement} form
 * @param {(what: string) => void} say
 * @param {string | undefined} draft person:object:revision
 * @param {boolean} alone whether text of another revision of the object is of this form
 */
export function keepDraft(form, say, draft = form.dataset.draft, alone = true) {
  if (!draft) return { back: 0, missed: [] };
  const own = read(PREFIX + draft);
  const kept = own ?? (alone ? olderOf(draft) : null);
  const done = kept ? restore(form, kept, own !== null) : { back: 0, missed: [] };
  if (done.back) say("draft restored");
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    const all = [...slots(form)];
    if (all.every(([, each]) => each.value === each.start)) return localStorage.removeItem(PREFIX + draft);
    const text = Object.fromEntries(all.map(([name, each]) => [name, each.value]));
    const was = Object.fromEntries(all.map(([name, each]) => [name, own?.was?.[name] ?? each.start]));
    localStorage.setItem(PREFIX + draft, JSON.stringify({ at: Date.now(), text, was }));
    say("draft saved");
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, EVERY_MS);
  });
  addEventListener("pagehide", () => timer && keep()); // sent or left before it was kept
  return done;
}

/** Remove the drafts of an object; its receipt is on the page. @param {string} draft */
export function dropDraft(draft) {
  const object = PREFIX + draft.split(":").slice(0, 2).join(":") + ":";
  Object.keys(localStorage)
    .filter((key) => key.startsWith(object))
    .forEach((key) => localStorage.removeItem(key));
}

/** Remove one draft alone. @param {string} draft */
export function dropOne(draft) {
  localStorage.removeItem(PREFIX + draft);
}

for (const key of Object.keys(localStorage)) {
  if (key.startsWith(PREFIX) && !read(key)) localStorage.removeItem(key);
}

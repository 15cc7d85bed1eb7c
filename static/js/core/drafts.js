/**
 * Drafts: what was typed into a form survives a refusal, an expired sign-in and a closed tab. Keys are
 * (person, object, revision); a new revision takes over the text of the one before.
 */

const PREFIX = "sb:draft:";
const EVERY_MS = 500;
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** @param {HTMLFormElement} form */
function fields(form) {
  return [...form.elements].filter(
    (each) => each instanceof HTMLTextAreaElement || each instanceof HTMLSelectElement,
  );
}

/** @param {string} key @returns {{at: number, text: Record<string, string>} | null} */
function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    return kept && Date.now() - kept.at < KEPT_MS ? kept : null;
  } catch {
    return null;
  }
}

/** @param {string} draft person:object:revision */
function newest(draft) {
  const own = read(PREFIX + draft);
  if (own) return own;
  const object = PREFIX + draft.split(":").slice(0, 2).join(":") + ":";
  const kept = Object.keys(localStorage).filter((key) => key.startsWith(object));
  return kept.map(read).filter(Boolean).sort((a, b) => b.at - a.at)[0] ?? null;
}

/**
 * Restore and keep the draft of a form with `data-draft`.
 * @param {HTMLFormElement} form
 * @param {(text: string) => void} say
 */
export function keepDraft(form, say) {
  const draft = form.dataset.draft;
  if (!draft) return;
  const kept = newest(draft);
  for (const field of fields(form)) {
    const text = kept?.text[field.name];
    if (text && !field.value) field.value = text;
  }
  if (kept) say("draft restored");
  let timer = 0;
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    const text = Object.fromEntries(fields(form).map((field) => [field.name, field.value]));
    localStorage.setItem(PREFIX + draft, JSON.stringify({ at: Date.now(), text }));
    say("draft saved");
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, EVERY_MS);
  });
  addEventListener("pagehide", () => timer && keep()); // sent or left before it was kept
}

/** Remove the drafts of an object; its receipt is on the page. @param {string} draft */
export function dropDraft(draft) {
  const object = PREFIX + draft.split(":").slice(0, 2).join(":") + ":";
  Object.keys(localStorage)
    .filter((key) => key.startsWith(object))
    .forEach((key) => localStorage.removeItem(key));
}

for (const key of Object.keys(localStorage)) {
  if (key.startsWith(PREFIX) && !read(key)) localStorage.removeItem(key);
}

/**
 * Plain forms, made safe against a second press. Without this file they work all the same: every
 * command behind them is idempotent or refuses a repeat.
 */

/** @param {HTMLFormElement} form */
function stampKey(form) {
  if (form.elements.namedItem("idempotency_key") || !globalThis.crypto?.randomUUID) return;
  const key = document.createElement("input");
  key.type = "hidden";
  key.name = "idempotency_key";
  key.value = crypto.randomUUID();
  form.append(key);
}

/** Drafts of this browser go with the session. */
function forgetDrafts() {
  Object.keys(localStorage)
    .filter((key) => key.startsWith("sb:draft:"))
    .forEach((key) => localStorage.removeItem(key));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return;
  if (event.submitter?.name === "guard" || form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  if (form.hasAttribute("data-once")) stampKey(form);
  if (form.hasAttribute("data-forget-drafts")) forgetDrafts();
  form.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll('form[aria-busy="true"]')) form.removeAttribute("aria-busy");
});

// Pages on which nobody types do not load what keeps it.
if (sessionStorage.getItem("sb:sent") || document.querySelector('form[method="post"] :is(textarea, input:not([type="hidden"]))'))
  import("./typed.js");

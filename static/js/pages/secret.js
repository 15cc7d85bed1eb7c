/** Copies a secret that is shown once. Without script it can be selected in its field. */

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const field = document.getElementById(button.dataset.copy ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  field.select();
  const said = document.getElementById("said");
  try {
    await navigator.clipboard.writeText(field.value);
    if (said) said.textContent = "Copied.";
    button.lastElementChild.textContent = "Copied";
  } catch {
    // No permission, or no TLS: the text is selected, so the keyboard can copy it.
    if (said) said.textContent = "Press Ctrl C to copy.";
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

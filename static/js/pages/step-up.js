/** Confirms by a passkey who one is, and goes on to where that was needed. */
import { canSign, stepUp } from "../core/webauthn.js";

const button = document.querySelector("[data-by-passkey]");
const wrong = document.getElementById("passkey-wrong");

if (button && canSign()) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { csrfmiddlewaretoken: token, next } = button.form.elements;
    wrong.hidden = true;
    button.disabled = true;
    try {
      await stepUp(token.value, button);
      location.assign(next.value);
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}

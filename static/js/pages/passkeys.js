/** Adds a passkey: the browser makes it, the server keeps its public key. */
import { canSign, makePasskey, send } from "../core/webauthn.js";

const form = document.querySelector("form[data-add-passkey]");
const wrong = document.getElementById("passkey-wrong");

/** @param {string} sentence "" takes it away */
function say(sentence) {
  wrong.textContent = sentence;
  wrong.hidden = !sentence;
}

/** @param {string} token @param {string} name */
async function add(token, name) {
  const { options } = await send("/api/v1/passkeys/challenges", token, {});
  const made = await makePasskey(options);
  await send("/api/v1/passkeys", token, { name, ...made });
}

if (form && canSign()) {
  form.hidden = false;
  document.querySelector("[data-no-passkeys]").hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say("");
    try {
      await add(form.elements.csrfmiddlewaretoken.value, form.elements.name.value);
      location.reload();
    } catch (error) {
      say(error instanceof DOMException ? "No passkey was made; try again when you like." : error.message);
      button.disabled = false;
    }
  });
}

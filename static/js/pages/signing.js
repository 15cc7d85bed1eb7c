/**
 * What may have to happen between choosing and recording: the password once more, or a passkey's
 * signature. The form stays as it is meanwhile, and the vote goes on afterwards.
 */
const passkeys = () => import("../core/webauthn.js"); // loaded when somebody has to prove or sign
const canSign = () => "PublicKeyCredential" in globalThis && Boolean(navigator.credentials);

const TRY_MS = 100;
const TRIES = 30; // the bar arms 400 ms after the window has the focus again

const form = document.querySelector("form[data-vote-bar]");
const dialog = document.getElementById("step-up");
const token = () => form.elements.csrfmiddlewaretoken.value;

/** @param {string} text @param {string} tone */
function say(text, tone) {
  const status = form.querySelector("[data-vote-status]");
  if (!status) return;
  status.hidden = !text;
  status.dataset.tone = tone;
  status.querySelector("[data-text]").textContent = text;
}

/** Press Record as soon as the bar is armed. @param {number} tries */
function record(tries = TRIES) {
  if (form.dataset.armed === "") {
    form.requestSubmit(form.querySelector('[name="record"]'));
    const signed = form.elements.namedItem("assertion");
    if (signed) signed.value = ""; // it is good for one vote
  } else if (tries) {
    setTimeout(() => record(tries - 1), TRY_MS);
  } else {
    say("Press Record vote.", "info");
  }
}

/** @param {SubmitEvent} event */
async function confirmPerson(event) {
  event.preventDefault();
  const asked = event.target;
  const password = asked.elements.password;
  const wrong = document.getElementById("step-up-wrong");
  wrong.hidden = true;
  try {
    const { stepUp } = await passkeys();
    await stepUp(token(), event.submitter, password.value);
  } catch (error) {
    wrong.textContent = error.message;
    wrong.hidden = false;
    password.focus();
    return;
  } finally {
    password.value = "";
  }
  dialog.close();
  for (const notice of form.querySelectorAll("[data-not-fresh]")) notice.hidden = true;
  record();
}

async function sign() {
  if (!form.reportValidity() || form.dataset.armed !== "") return;
  const { revision_no: revision, seen_digest: digest, choice } = Object.fromEntries(new FormData(form));
  say("Waiting for your passkey…", "info");
  try {
    const { send, signWith } = await passkeys();
    const asked = { revision: Number(revision), digest, choice };
    const { nonce, options } = await send(`${form.dataset.api}/votes/challenges`, token(), asked);
    form.elements.namedItem("assertion").value = JSON.stringify({ nonce, ...(await signWith(options)) });
    record();
  } catch (error) {
    say(error instanceof DOMException ? "Nothing was signed, and nothing recorded." : error.message, "caution");
  }
}

if (form && dialog) {
  form.addEventListener("sb:refused", (event) => {
    if (event.detail.code !== "stepup.required") return;
    event.preventDefault();
    dialog.showModal();
  });
  dialog.querySelector("form:not([method='dialog'])").addEventListener("submit", confirmPerson);
}
const button = form?.querySelector("[data-sign]");
if (button && canSign()) {
  button.hidden = false;
  button.addEventListener("click", sign);
}

/**
 * Passkeys between the browser and our JSON: bytes travel as base64url. The first two reject as the
 * browser does, for instance with NotAllowedError when the person closes its window.
 */

/** @returns {boolean} whether this browser, on this page, can sign */
export function canSign() {
  return "PublicKeyCredential" in globalThis && Boolean(navigator.credentials);
}

/** @param {string} text @returns {Uint8Array} */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer @returns {string} */
function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const named = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

/**
 * @param {any} options what `passkeys/challenges` gave
 * @returns {Promise<{credential_id: string, client_data: string, attestation: string, transports: string[]}>}
 */
export async function makePasskey(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    credential_id: made.id,
    client_data: text(made.response.clientDataJSON),
    attestation: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  };
}

/**
 * @param {any} options what `votes/challenges` gave
 * @returns {Promise<{credential_id: string, authenticator_data: string, client_data: string, signature: string}>}
 */
export async function signWith(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: named(options.allowCredentials),
  };
  const found = await navigator.credentials.get({ publicKey });
  return {
    credential_id: found.id,
    authenticator_data: text(found.response.authenticatorData),
    client_data: text(found.response.clientDataJSON),
    signature: text(found.response.signature),
  };
}

/**
 * @param {string} url @param {string} token of the form @param {unknown} body
 * @returns {Promise<any>} the answer's JSON
 * @throws {Error} with the sentence of the refusal
 */
export async function send(url, token, body) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}

/**
 * Prove once more who one is: by a passkey if its button was pressed, else by the password.
 * @param {string} token of the form @param {HTMLButtonElement} button @param {string} [password]
 * @throws {Error} with a sentence for the person
 */
export async function stepUp(token, button, password) {
  if (button.value !== "passkey") return send("/api/v1/step-up", token, { password });
  if (!canSign()) throw new Error("This browser cannot use a passkey here; use your password.");
  const { options } = await send("/api/v1/step-up/challenges", token, {});
  const answer = await signWith(options).catch(() => {
    throw new Error("Nothing was signed; try again, or use your password.");
  });
  return send("/api/v1/step-up/passkey", token, answer);
}

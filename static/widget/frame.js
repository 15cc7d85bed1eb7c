/*
 * The chat inside its frame. Everything is built with DOM calls: Trusted Types are enforced with no policy
 * at all, so no text of an agent can become markup. Stored frames carry numbers and are the truth; live
 * text is shown as provisional and replaced.
 */
import { card, provisional } from "./frames.js";
import { readEvents } from "./events.js";

const body = document.body;
const log = document.getElementById("log");
const badge = document.getElementById("badge");
const doing = document.getElementById("doing");
const said = document.getElementById("said");
const problem = document.getElementById("problem");
const text = document.getElementById("text");
const compose = document.getElementById("compose");
const RETRY_MS = [300, 600, 1200, 2500, 5000, 10000];

/** One conversation as this frame knows it. */
const chat = {
  token: "", port: null, seq: 0, following: false, failures: 0, unread: 0, visible: true, stored: "",
  early: false,
};

const call = (path, values, signal) =>
  fetch(`/widget/api/${path}`, {
    method: "POST",
    credentials: "omit",
    cache: "no-store",
    signal,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${chat.token}` },
    body: JSON.stringify(values),
  });

const tell = (message) => chat.port && chat.port.postMessage(message);

function complain(sentence) {
  following(() => {
    problem.textContent = sentence;
    problem.hidden = !sentence;
  });
}

async function sentenceOf(response) {
  try {
    return (await response.json()).message || "That did not work; try again.";
  } catch {
    return "That did not work; try again.";
  }
}

/** Do something to the page; the view follows only a reader who is at its end. */
function following(act) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  act();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function add(node) {
  following(() => log.append(node));
}

function dropProvisional() {
  for (const node of log.querySelectorAll("[data-provisional]")) node.remove();
}

const onFrame = (frame) => {
  if (frame.seq <= chat.seq) return; // seen before a reconnect
  chat.seq = frame.seq;
  dropProvisional();
  const mine = frame.parts.client_id && document.getElementById(`m-${frame.parts.client_id}`);
  if (mine) mine.remove();
  if (frame.kind === "confirmed") for (const acts of log.querySelectorAll(".acts")) acts.remove();
  add(card(frame, answer));
  if (frame.role !== "customer") {
    if (frame.role === "agent") chat.stored = frame.text;
    said.textContent = frame.text;
    if (!chat.visible) tell({ type: "unread", count: (chat.unread += 1) });
    tell({ type: "message", role: frame.role, kind: frame.kind });
  }
};

function lockCards(locked) {
  for (const button of log.querySelectorAll(".acts button")) button.disabled = locked;
}

const WORDS = {
  queued: "Your message is in line.",
  running: "The agent is working on it.",
  waiting_approval: "Waiting for a person to decide. You can close this; the answer will be here.",
  paused: "The agent is stopped by its operators at the moment.",
};

const onState = (state) => {
  if (!["queued", "running"].includes(state.run)) dropProvisional(); // all that was said is stored
  if (chat.run === "paused" && state.run !== "paused") complain("");
  chat.run = state.run;
  badge.textContent = state.handed_off ? "A person will answer you." : `Automatic agent (${state.badge})`;
  following(() => {
    doing.textContent = WORDS[state.run] || "";
    doing.hidden = !doing.textContent;
  });
};

const onDelta = (piece) => {
  const known = log.querySelector("[data-provisional]");
  const node = known && known.dataset.epoch === String(piece.epoch) ? known : provisional(piece.epoch);
  if (Number(node.dataset.n) >= piece.n) return; // a repeated piece
  if (node !== known && chat.stored.includes(piece.text)) return; // the tail of what is stored by now
  node.dataset.n = piece.n;
  node.textContent += piece.text;
  if (node !== known) {
    dropProvisional();
    add(node);
  }
};

const HANDLERS = {
  frame: onFrame,
  state: onState,
  delta: onDelta,
  reset: dropProvisional,
  refused: (refusal) => complain(refusal.message),
};

/** Follow the conversation for ever: one stream after the other, each from the last stored frame on. */
async function follow() {
  if (chat.following) return;
  chat.following = true;
  for (;;) {
    try {
      const response = await call("stream", { after: chat.seq });
      if (!response.ok) {
        complain(await sentenceOf(response));
        chat.following = false;
        return;
      }
      chat.failures = 0;
      await readEvents(response.body, (name, data) => HANDLERS[name] && HANDLERS[name](data));
    } catch {
      chat.failures += 1;
      doing.textContent = "The connection is lost; trying again.";
      doing.hidden = false;
    }
    const wait = chat.failures ? RETRY_MS[Math.min(chat.failures, RETRY_MS.length) - 1] : 50;
    await new Promise((go) => setTimeout(go, wait));
  }
}

/** Send a message under a client id; the same id again can never make a second message. */
async function send(message, clientId) {
  const node = document.getElementById(`m-${clientId}`);
  node.dataset.state = "sending";
  try {
    const response = await call("messages", { client_id: clientId, text: message });
    if (!response.ok) throw new Error(await sentenceOf(response));
    const receipt = await response.json();
    if (receipt.notice) complain(receipt.notice);
    node.dataset.state = "stored";
    follow();
  } catch (error) {
    node.dataset.state = "unsent";
    complain(error instanceof TypeError ? "The message was not sent; check your connection." : error.message);
    offerRetry(node, message, clientId);
  }
}

function offerRetry(node, message, clientId) {
  const again = document.createElement("button");
  again.type = "button";
  again.className = "act";
  again.textContent = "Retry";
  again.addEventListener("click", () => {
    again.remove();
    complain("");
    send(message, clientId);
  });
  following(() => node.append(again));
}

/** The visitor's yes or no to the call that a card shows. */
async function answer(callId, digest, agree) {
  lockCards(true);
  complain("");
  try {
    const response = await call("confirm", { call_id: callId, digest, agree: agree ? "yes" : "no" });
    if (response.ok) return;
    complain(await sentenceOf(response));
  } catch {
    complain("Your answer was not sent; check your connection and press again.");
  }
  lockCards(false);
}

compose.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = text.value.trim();
  if (!message) return;
  chat.early = !chat.token; // it stays in its field, and goes out when the conversation is there
  if (chat.early) return;
  complain("");
  const clientId = crypto.randomUUID();
  add(card({ seq: 0, role: "customer", kind: "text", text: message, parts: {} }, answer, clientId));
  log.scrollTop = log.scrollHeight;
  text.value = "";
  send(message, clientId);
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    compose.requestSubmit();
  }
});

const leave = () => {
  chat.visible = false;
  tell({ type: "close" });
};
document.getElementById("close").addEventListener("click", leave);
addEventListener("keydown", (event) => event.key === "Escape" && leave());

async function begin(hello) {
  const response = await call("session", { key: body.dataset.key, resume: hello.resume || "" });
  if (!response.ok) {
    complain(await sentenceOf(response));
    return;
  }
  const session = await response.json();
  chat.token = session.token;
  tell({ type: "store", resume: session.token });
  tell({ type: "ready" });
  if (session.started) follow();
  document.getElementById("send").disabled = false;
  if (chat.early) compose.requestSubmit();
}

/** Whether a site may talk to this frame; `:*` stands for any port, as in the frame's own policy. */
function mayEmbed(origin) {
  return body.dataset.origins.split(" ").some((allowed) =>
    allowed.endsWith(":*") ? origin.startsWith(allowed.slice(0, -1)) : origin === allowed,
  );
}

addEventListener("message", (event) => {
  const hello = event.data;
  if (event.source !== parent || !mayEmbed(event.origin)) return;
  if (chat.port || !hello || hello.sb !== 1 || event.ports.length !== 1) return;
  chat.port = event.ports[0];
  chat.port.onmessage = ({ data }) => {
    if (data && data.type === "open") {
      chat.visible = true;
      chat.unread = 0;
      text.focus();
    }
  };
  begin(hello);
});

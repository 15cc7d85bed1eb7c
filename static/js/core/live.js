/**
 * One WebSocket per tab. It carries hints (references, and at most the word that something is over): a
 * region that gets one refetches itself through its ordinary view. A lost hint costs freshness only,
 * because every `sub` is answered with each topic's newest number.
 */

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 30_000;
const PING_MS = 25_000;
const PONG_MS = 10_000;
const POLL_AFTER_MS = 60_000;
const POLL_MS = 15_000;
const SIGNED_OUT = 4401;

/**
 * How a thing ended; how many ms its refetch waits for other people's.
 * @typedef {{topic: string, seq: number, id: string, settled?: string, turn?: number}} Hint
 * @typedef {(hint?: Hint) => void} Listener
 * @typedef {{seq: number | null, listeners: Set<Listener>}} Topic
 */

/** @type {Map<string, Topic>} */
const topics = new Map();
/** @type {WebSocket | null} */
let socket = null;
let wait = FIRST_WAIT_MS;
let attempts = 0;
let downSince = 0;
let signedOut = false;
let retryTimer = 0;
let pingTimer = 0;
let pongTimer = 0;
let pollTimer = 0;
let askTimer = 0;

const person = document.body.dataset.person ?? "";
/** The newest hint of each topic before this page was read: "name=number name=number". */
const seen = new Map((document.body.dataset.seen ?? "").trim().split(" ").map((each) => each.split("=")));
const seenIds = document.body.dataset.seenIds?.split(" ");
const zone = document.body.dataset.zone || "UTC";
/** How far the server's clock is ahead of ours; display only. */
const ahead = Date.parse(document.body.dataset.now ?? "") - Date.now() || 0;
let dataAsOf = Date.now() + ahead;

/** @returns {number} the server's time in ms, as well as we know it */
export function serverNow() {
  return Date.now() + ahead;
}

/** @param {number} at ms @returns {string} hh:mm:ss in the page's zone */
export function clockTime(at) {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: zone }).format(at);
}

/**
 * Call `listener` when a topic has something new.
 * @param {string[]} names
 * @param {Listener} listener
 * @returns {() => void} stops it
 */
export function onHint(names, listener) {
  const wanted = names.filter(Boolean);
  for (const name of wanted) {
    const topic = topics.get(name) ?? { seq: rendered(name) ?? remembered(name), listeners: new Set() };
    topic.listeners.add(listener);
    topics.set(name, topic);
  }
  ask();
  return () => wanted.forEach((name) => topics.get(name)?.listeners.delete(listener));
}

/** Say that what is on the page was read just now. */
export function markFresh() {
  dataAsOf = serverNow();
  if (socket?.readyState === WebSocket.OPEN) show("live");
  else if (downSince) show(away());
}

/** Say that the session has ended; nothing is retried until the page is loaded anew. */
export function markSignedOut() {
  signedOut = true;
  socket?.close();
  show("signed-out");
}

function ask() {
  clearTimeout(askTimer);
  // The regions of a page subscribe one after another; one message carries them all.
  askTimer = setTimeout(() => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const sub = Object.fromEntries([...topics].map(([name, topic]) => [name, topic.seq ?? 0]));
    socket.send(JSON.stringify({ sub }));
  }, 0);
}

function connect() {
  if (!person || signedOut || socket || !navigator.onLine) return; // `online` calls again
  clearTimeout(retryTimer);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/ws/live/`);
  socket = mine;
  mine.addEventListener("open", ask);
  mine.addEventListener("message", (event) => socket === mine && hear(event));
  mine.addEventListener("close", (event) => socket === mine && lost(event.code));
}

/** @param {MessageEvent<string>} event */
function hear(event) {
  const message = JSON.parse(event.data);
  if (message.newest) {
    for (const [name, seq] of Object.entries(message.newest)) advance(name, seq);
    settled();
  } else if ("pong" in message) {
    clearTimeout(pongTimer);
    markFresh();
  } else if (message.topic) {
    advance(message.topic, message.seq, message);
  }
}

/** "Live" shows after the server's answer, not after the connection: only then nothing was missed. */
function settled() {
  wait = FIRST_WAIT_MS;
  attempts = 0;
  downSince = 0;
  clearInterval(pollTimer);
  clearInterval(pingTimer);
  pingTimer = setInterval(ping, PING_MS);
  markFresh();
}

/** @param {string} name @param {number} seq @param {Hint} [hint] */
function advance(name, seq, hint) {
  const topic = topics.get(name);
  if (!topic || (topic.seq !== null && seq <= topic.seq)) return;
  topic.seq = seq;
  remember(name, seq);
  topic.listeners.forEach((listener) => listener(hint));
}

function ping() {
  socket?.send(JSON.stringify({ ping: 1 }));
  clearTimeout(pongTimer);
  pongTimer = setTimeout(() => drop(), PONG_MS);
}

/** Close a socket that no longer answers; the browser may take minutes to notice by itself. */
function drop() {
  const dead = socket;
  if (!dead) return;
  lost(0);
  dead.close();
}

/** @param {number} code */
function lost(code) {
  socket = null;
  clearInterval(pingTimer);
  clearTimeout(pongTimer);
  if (code === SIGNED_OUT) return markSignedOut();
  if (signedOut) return;
  downSince ||= Date.now();
  attempts += 1;
  show(away());
  startPolling();
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, wait * (0.7 + Math.random() * 0.6));
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** @returns {"offline" | "polling" | "reconnecting"} how the page stands without its line */
function away() {
  if (!navigator.onLine) return "offline";
  return Date.now() - downSince < POLL_AFTER_MS ? "reconnecting" : "polling";
}

function startPolling() {
  clearInterval(pollTimer);
  pollTimer = setInterval(() => {
    if (signedOut || Date.now() - downSince < POLL_AFTER_MS) return;
    show(away());
    poll();
  }, POLL_MS);
}

function poll() {
  const all = new Set([...topics.values()].flatMap((topic) => [...topic.listeners]));
  all.forEach((listener) => listener());
}

function reconnectNow() {
  if (signedOut || document.visibilityState === "hidden") return;
  wait = FIRST_WAIT_MS;
  if (!socket) connect();
}

/** @param {"live" | "reconnecting" | "polling" | "offline" | "signed-out"} state */
function show(state) {
  const strip = document.getElementById("status");
  const text = strip?.querySelector("[data-text]");
  if (!strip || !text) return;
  const asOf = `${clockTime(dataAsOf)} ${zone}`;
  strip.dataset.state = state;
  text.textContent = {
    live: `Live ${asOf}`,
    reconnecting: `Reconnecting (${attempts}), data as of ${asOf}`,
    polling: `Not live, read every ${POLL_MS / 1000} s, data as of ${asOf}`,
    offline: `Offline, data as of ${asOf}`,
    "signed-out": "Signed out, reload to sign in",
  }[state];
  const shape = { live: "signal-clear", reconnecting: "signal-caution", polling: "signal-caution" }[state] ?? "signal-stop";
  const use = strip.querySelector("use");
  use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${shape}`));
}

/**
 * The number a topic had just before the server read this page: what it told of is on the page.
 * @param {string} name
 * @returns {number | null} null for a topic that the server did not look up
 */
function rendered(name) {
  const id = name.split(":")[1];
  if (!seenIds || (id && !seenIds.includes(id))) return null;
  return Number(seen.get(name) ?? 0);
}

/**
 * The number a topic had when an earlier page of this tab was open. If it still is the newest, nothing
 * happened since before this page was made, and no region needs to be fetched twice.
 * @param {string} name
 */
function remembered(name) {
  const seq = Number(sessionStorage.getItem(`sb:seq:${person}:${name}`) ?? Number.NaN);
  return Number.isFinite(seq) ? seq : null;
}

/** @param {string} name @param {number} seq */
function remember(name, seq) {
  sessionStorage.setItem(`sb:seq:${person}:${name}`, String(seq));
}

addEventListener("online", reconnectNow);
addEventListener("offline", () => (socket ? drop() : signedOut || show("offline")));
addEventListener("focus", reconnectNow);
document.addEventListener("visibilitychange", reconnectNow);
addEventListener("pageshow", (event) => event.persisted && location.reload());
connect();

/**
 * Return the ids of the rows that follow the focused one: if it goes, the next one takes the focus.
 * @param {Element} region
 * @returns {string[]}
 */
export function successors(region) {
  const row = document.activeElement?.closest("li[id], tr[id]");
  if (!row || !region.contains(row)) return [];
  const rows = [...row.parentElement.children].map((each) => each.id).filter(Boolean);
  const at = rows.indexOf(row.id);
  return [...rows.slice(at + 1), ...rows.slice(0, at).reverse()];
}

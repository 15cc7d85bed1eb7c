/*
 * The widget's loader: one classic script that a site includes.
 *
 *   <script src="https://chat.example/widget/loader.js" data-key="wk_..." async></script>
 *
 * It adds a button in a closed shadow root (for its looks, not for security). The chat is an iframe of
 * another origin, made at the first open. Nothing is requested before that.
 */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.Signalbox) return;
  const origin = new URL(script.src).origin;
  const key = script.dataset.key || "";
  const store = script.dataset.resume === "session" ? window.sessionStorage : null;
  const listeners = [];
  let frame = null;
  let port = null;
  let isOpen = false;

  const LOOK = `
    :host { all: initial; }
    button { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000;
      min-block-size: 48px; padding-inline: 18px; border: 0; border-radius: 24px; cursor: pointer;
      font: 600 15px/22px system-ui, sans-serif; color: #fefdfb; background: #1e5ba1;
      box-shadow: 0 4px 12px rgb(0 0 0 / 25%); }
    button:focus-visible { outline: 3px solid #1e5ba1; outline-offset: 2px; }
    iframe { position: fixed; inset-block-end: 80px; inset-inline-end: 20px; z-index: 2147483000;
      inline-size: 380px; block-size: min(620px, calc(100dvh - 100px)); border: 1px solid #838076;
      border-radius: 8px; background: #fefdfb; box-shadow: 0 12px 32px rgb(0 0 0 / 25%); }
    iframe[hidden] { display: none; }
    @media (width <= 480px) {
      iframe { inset: 0; inline-size: 100%; block-size: 100dvh; border: 0; border-radius: 0; }
    }`;

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(LOOK);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  root.append(button);

  const label = (unread) => {
    button.textContent = isOpen ? "Close chat" : unread ? `Chat (${unread} new)` : "Chat with us";
  };

  const say = (name, detail) => {
    for (const listener of listeners) if (listener.name === name) listener.act(detail);
  };

  const remembered = () => {
    try {
      return (store && store.getItem(`signalbox.${key}`)) || "";
    } catch {
      return "";
    }
  };

  const remember = (token) => {
    try {
      if (store) store.setItem(`signalbox.${key}`, token);
    } catch {
      // A browser that keeps nothing for us: the chat starts anew after a reload.
    }
  };

  const receive = (event) => {
    const message = event.data || {};
    if (message.type === "close") close();
    if (message.type === "unread") label(isOpen ? 0 : message.count);
    if (message.type === "store") remember(String(message.resume || ""));
    say(message.type, message);
  };

  const makeFrame = () => {
    frame = document.createElement("iframe");
    frame.title = "Chat";
    frame.src = `${origin}/widget/frame/?key=${encodeURIComponent(key)}`;
    frame.addEventListener("load", () => {
      if (port) return; // one channel, handed over once
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = receive;
      const hello = { sb: 1, key, resume: remembered(), locale: navigator.language };
      frame.contentWindow.postMessage(hello, origin, [channel.port2]);
      port.postMessage({ type: "open" });
    });
    root.append(frame);
  };

  const open = () => {
    isOpen = true;
    if (!frame) makeFrame();
    frame.hidden = false;
    button.setAttribute("aria-expanded", "true");
    label(0);
    if (port) port.postMessage({ type: "open" });
  };

  const close = () => {
    isOpen = false;
    if (frame) frame.hidden = true;
    button.setAttribute("aria-expanded", "false");
    label(0);
    button.focus();
  };

  const toggle = () => (isOpen ? close() : open());
  button.addEventListener("click", toggle);
  label(0);
  const show = () => document.body.append(host);
  if (document.body) show();
  else document.addEventListener("DOMContentLoaded", show);
  window.Signalbox = {
    open,
    close,
    toggle,
    on: (name, act) => listeners.push({ name, act }),
  };
})();

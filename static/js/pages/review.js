/**
 * The vote bar: it arms 400 ms after it is painted and only in a tab that has the focus, so that a
 * double press on the page before is never a vote. It disarms when the content on screen is no longer
 * the current one. Choosing and recording are two acts.
 */
import { addKey } from "../core/keys.js";
import { dropDraft, keepDraft } from "../core/drafts.js";
import { clockTime, onHint, serverNow } from "../core/live.js";

const ARM_MS = 400;

class VoteBar {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.record = form.querySelector('[name="record"]');
    this.note = form.querySelector("[data-draft-note]");
    this.timer = 0;
    this.checking = false;
    form.dataset.live = "";
    form.addEventListener("submit", (event) => this.stopUnlessArmed(event), { capture: true });
    addEventListener("focus", () => this.arm());
    addEventListener("blur", () => this.disarm());
    addEventListener("sb:fresh", () => this.compare());
    if (form.dataset.topic) onHint([form.dataset.topic], () => this.suspect());
    keepDraft(form, (what) => this.say(`${what} ${clockTime(serverNow())}`));
    this.keys();
    this.arm();
  }

  keys() {
    if (this.record?.disabled) return;
    addKey("a", "Select Approve (sends nothing)", () => this.choose("approve", null));
    addKey("r", "Select Reject, go to the reason (sends nothing)", () => this.choose("reject", "select, textarea"));
    this.form.addEventListener("keydown", (event) => this.recordByKeys(event));
    document.addEventListener("keydown", (event) => {
      if (!this.form.contains(event.target)) this.recordByKeys(event);
    });
    const cap = this.form.querySelector("[data-mod-enter]");
    if (cap) {
      cap.textContent = navigator.platform.startsWith("Mac") ? "⌘ Enter" : "Ctrl Enter";
      cap.hidden = false;
    }
  }

  /** @param {string} value @param {string | null} next what takes the focus afterwards */
  choose(value, next) {
    const radio = this.form.querySelector(`[name="choice"][value="${value}"]`);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    const target = next ? this.form.querySelector(`.reject-only :is(${next})`) : radio;
    (target ?? radio).focus();
  }

  /** @param {KeyboardEvent} event */
  recordByKeys(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.armed) this.form.requestSubmit(this.record);
  }

  get armed() {
    return this.form.dataset.armed === "" && !this.checking && !this.outdated;
  }

  arm() {
    clearTimeout(this.timer);
    if (!document.hasFocus() || this.record?.disabled) return;
    this.timer = setTimeout(() => {
      this.form.dataset.armed = "";
      this.mark();
    }, ARM_MS);
  }

  disarm() {
    clearTimeout(this.timer);
    delete this.form.dataset.armed;
    this.mark();
  }

  mark() {
    this.record?.setAttribute("aria-disabled", String(!this.armed));
  }

  /** Something happened to this proposal: hold the vote until the fresh page part says what. */
  suspect() {
    this.checking = true;
    this.mark();
  }

  compare() {
    const current = document.querySelector("[data-current-digest]");
    if (!current) return;
    this.checking = false;
    this.outdated = current.dataset.currentDigest !== this.form.dataset.digest;
    const over = current.dataset.currentState && current.dataset.currentState !== "open";
    if (this.outdated || over) {
      this.outdated = true;
      const why = over ? "This is no longer open" : "This changed while you were reading";
      this.say(`${why}; nothing can be recorded here. Reload to see it. Your text is kept.`);
    }
    this.mark();
  }

  /** @param {SubmitEvent} event */
  stopUnlessArmed(event) {
    if (event.submitter === this.record && this.armed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {string} text */
  say(text) {
    if (this.note) this.note.textContent = text;
  }
}

// A refused vote is answered under the address it was sent to; a reload there would send it again.
if (location.pathname.endsWith("/vote/")) history.replaceState(null, "", location.pathname.replace(/vote\/$/, ""));
for (const receipt of document.querySelectorAll("[data-receipt-draft]")) dropDraft(receipt.dataset.receiptDraft);
for (const form of document.querySelectorAll("form[data-vote-bar]")) new VoteBar(form);

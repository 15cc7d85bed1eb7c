/**
 * The vote bar arms 400 ms after it is painted and only in a tab that has the focus, so that a double
 * press on the page before is never a vote. It disarms when what is on screen is no longer current.
 * Choosing and recording are two acts. Others may take a refusal over: `sb:refused`, cancelable.
 */
import { addKey } from "../core/keys.js";
import { dropDraft, keepDraft } from "../core/drafts.js";
import { clockTime, onHint, serverNow } from "../core/live.js";

const ARM_MS = 400;
const ANSWER_MS = 15_000;
const STAY = "sb:stay"; // do not go on to the next after a vote
const RECEIPT = "sb:receipt";

class VoteBar {
  constructor(form) {
    this.form = form;
    this.record = form.querySelector('[name="record"]');
    this.note = form.querySelector("[data-draft-note]");
    this.status = form.querySelector("[data-vote-status]");
    this.timer = 0;
    this.checking = false;
    this.heardAt = 0;
    this.ends = form.dataset.settled.split(" ");
    form.dataset.live = "";
    this.mark();
    form.addEventListener("submit", (event) => this.submit(event), { capture: true });
    form.querySelector("[data-check]")?.addEventListener("click", () => this.check());
    addEventListener("focus", () => this.arm());
    addEventListener("blur", () => this.disarm());
    addEventListener("sb:fresh", (event) => event.target.id === "proposal" && this.compare(event.detail.since));
    if (form.dataset.topic) onHint([form.dataset.topic], (hint) => this.suspect(hint));
    keepDraft(form, (what) => this.note && (this.note.textContent = `${what} ${clockTime(serverNow())}`));
    this.stay();
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

  stay() {
    const box = this.form.querySelector("[data-advance]");
    if (!box) return;
    box.closest("label").hidden = false;
    box.checked = !localStorage.getItem(STAY);
    box.addEventListener("change", () =>
      box.checked ? localStorage.removeItem(STAY) : localStorage.setItem(STAY, "1"),
    );
  }

  choose(value, next) {
    const radio = this.form.querySelector(`[name="choice"][value="${value}"]`);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    const target = next ? this.form.querySelector(`.reject-only :is(${next})`) : radio;
    (target ?? radio).focus();
  }

  recordByKeys(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.armed) this.form.requestSubmit(this.record);
    else if (this.checking) {
      this.say("Looking whether this changed; press again in a moment.", "");
      this.looking = true;
      document.getElementById("proposal")?.soon(); // out of turn
    }
  }

  get armed() {
    return this.form.dataset.armed === "" && !this.checking && !this.outdated && !this.sending;
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
  suspect(hint) {
    this.checking = true;
    this.heardAt = performance.now();
    if (this.ends.includes(hint?.settled) && !this.sending) this.outdate(`It is ${hint.settled} now`, true);
    this.mark();
  }

  /** @param {number} since when it was asked for: an older page part knows nothing of the hint */
  compare(since) {
    const current = document.querySelector("[data-current-digest]")?.dataset;
    if (!current || since < this.heardAt) return;
    if (this.looking) this.say("", "");
    this.checking = this.looking = false;
    this.limit(current.approveRefusal ?? "");
    const over = this.ends.includes(current.currentState);
    const moved = current.currentDigest !== this.form.dataset.digest;
    const what = over ? current.currentState : moved && `revision ${current.currentRevision}`;
    this.outdate(what && `It is ${what} now`);
    this.mark();
  }

  /** @param {string | false} what false where the vote counts @param {boolean} coming the details are not here yet */
  outdate(what, coming = false) {
    this.outdated = Boolean(what);
    const box = this.form.querySelector("[data-outdated]");
    if (!box) return;
    box.hidden = !what;
    if (!what) return;
    box.querySelector("[data-what]").textContent = what;
    box.querySelector("[data-coming]").hidden = !coming;
  }

  limit(why) {
    const radio = this.form.querySelector('[name="choice"][value="approve"]');
    const said = this.form.querySelector("[data-approve-why]");
    if (!radio || !said) return;
    radio.disabled = why !== "";
    if (why) radio.checked = false;
    said.textContent = why;
    said.hidden = !why;
  }

  submit(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.submitter !== this.record || !this.armed || this.form.querySelector(":invalid")) return;
    if (navigator.onLine) return this.send();
    this.looking = true; // what is found out next takes this back
    this.say("Nothing was sent: there is no connection. Record it again when it is back.", "caution");
  }

  async send() {
    const sent = Object.fromEntries(new FormData(this.form));
    const { revision_no: revision, seen_digest: digest, choice, note, agent_message } = sent;
    const vote = { revision: Number(revision), digest, choice, note, agent_message };
    for (const name of ["reason_code", "in_place_of"]) if (sent[name]) vote[name] = sent[name];
    if (sent.assertion) vote.assertion = JSON.parse(sent.assertion);
    this.sending = true;
    this.say("Recording…", "");
    this.mark();
    const answer = await this.ask(`${this.form.dataset.api}/votes`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": sent.csrfmiddlewaretoken },
      body: JSON.stringify(vote),
    });
    if (answer?.ok) return this.recorded(answer.body); // on the way out, its own decision is no news
    this.sending = false;
    this.mark();
    if (answer) this.refused(answer);
    else this.say("Not known whether it was recorded.", "unknown");
  }

  /** Null if nobody knows what became of it. */
  async ask(url, options) {
    try {
      const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
      return answer.status >= 500 ? null : { ok: answer.ok, status: answer.status, body: await answer.json() };
    } catch {
      return null;
    }
  }

  /** Look whether the vote arrived. Sending it again is safe, too. */
  async check() {
    this.say("Checking…", "");
    const answer = await this.ask(`${this.form.dataset.api}/votes/mine`, {});
    if (!answer) return this.say("Still not known whether it was recorded.", "unknown");
    if (!answer.ok) return this.refused(answer);
    const mine = answer.body.vote;
    if (mine) this.recorded(mine);
    else this.say("It was not recorded. Record it again.", "caution");
  }

  recorded(receipt) {
    dropDraft(this.form.dataset.draft);
    const next = this.form.querySelector("[data-advance]")?.checked ? this.form.dataset.next : "";
    if (next) {
      const told = { ...receipt, at: clockTime(serverNow()), href: this.form.dataset.page };
      told.title = document.querySelector("h1").textContent.trim();
      sessionStorage.setItem(RECEIPT, JSON.stringify(told));
    }
    this.say("Recorded.", "clear");
    location.assign(next || this.form.dataset.page);
  }

  refused({ status, body }) {
    if (!this.form.dispatchEvent(new CustomEvent("sb:refused", { detail: body, cancelable: true }))) {
      this.say("", "");
      return;
    }
    this.say(`Not recorded. ${body.message}`, "danger");
    if (status === 401) document.getElementById("signed-out")?.showModal();
    const field = Object.keys(body.details?.fields ?? {}).map((name) => this.form.elements[name])[0];
    field?.focus?.();
    if (status === 409 || status === 410) document.getElementById("proposal")?.soon();
  }

  /** @param {string} text @param {string} tone "unknown" offers to check */
  say(text, tone) {
    if (!this.status) return;
    this.status.hidden = !text;
    this.status.dataset.tone = tone;
    this.status.querySelector("[data-text]").textContent = text;
    this.status.querySelector("[data-check]").hidden = tone !== "unknown";
  }
}

// A refused vote is answered under the address it was sent to; a reload there would send it again.
if (location.pathname.endsWith("/vote/")) history.replaceState(null, "", location.pathname.replace(/vote\/$/, ""));
for (const receipt of document.querySelectorAll("[data-receipt-draft]")) dropDraft(receipt.dataset.receiptDraft);
for (const form of document.querySelectorAll("form[data-vote-bar]")) new VoteBar(form);
if (sessionStorage.getItem(RECEIPT)) import("./receipt.js");
if (document.getElementById("step-up")) import("./signing.js"); // who may vote may have to prove or sign first
if (document.querySelector("[data-unsealed]")) import("./seal.js");
if (document.getElementById("claims")) import("./claim.js"); // it claims after a while only

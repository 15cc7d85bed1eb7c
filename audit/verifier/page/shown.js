// -- the page: text goes in as text, and what would hide or turn it round is spelt out --------------
const el = (id) => document.getElementById(id);
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
const visible = (text) => String(text).replace(HIDDEN, (one) => `[U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
const moment = (micros) => {
  const date = new Date(Number(micros / 1000n));
  return Number.isNaN(date.getTime()) ? "no known time" : date.toISOString();
};
const made = (tag, text, className = "") => Object.assign(document.createElement(tag), { textContent: visible(text), className });
const fill = (id, lines) => {
  el(id).replaceChildren(...lines.map((line) => made("li", line)));
  if (el(`${id}-part`)) el(`${id}-part`).hidden = !lines.length;
};
const SAYS = {
  [WITNESSED]: ["Verified, and witnessed", "This is what was recorded, in this order, by then. Nothing in it was changed since."],
  [FAILED]: ["Does not verify", "This is not what was signed. Do not rely on it, and say so to whoever sent it."],
  [SELF_ATTESTED]: ["Verified, self-attested", "This is what the log signed, and nothing in it was changed since. No witness whose key you gave has seen it."],
  [INCOMPLETE]: ["Incomplete", "What is here holds, and something that belongs to it is not here."],
};
const unknownOf = (code) => {
  const lines = ["Whether what was recorded is right: a proof says that it was recorded, and when at the latest.",
    "What stands in the entries that are shown by their hashes only, and what was recorded after this checkpoint."];
  if (code === FAILED) return ["Where it was changed, on its way or at its source: another copy can tell."];
  if (code !== WITNESSED) lines.push("Whether the log showed everybody the same history: for that, somebody else has to have seen it.");
  return lines;
};
const show = (check, code) => {
  el("said").textContent = SAYS[code][0];
  el("means").textContent = SAYS[code][1];
  el("verdict").dataset.code = code;
  fill("problems", check.problems);
  fill("missing", check.missing);
  fill("checked", code === FAILED ? [] : [
    `${check.opened} entr${check.opened === 1 ? "y" : "ies"}: the bytes hash to the leaves, and the leaves lead to the signed root over ${check.head.size}.`,
    `${check.hidden} entries beside them, shown by their hashes only.`,
    "The log stands in the meta log of its deployment, which signed it as well."]);
  fill("signed", check.signed);
  fill("unknown", unknownOf(code));
  el("entries").replaceChildren(...(code === FAILED ? [] : check.entries).map(entryShown));
  el("entries-part").hidden = !el("entries").children.length;
  el("entries-head").textContent = check.opened > SHOWN ? `The first ${SHOWN} of ${check.opened} entries` : "Entries";
  el("verdict").hidden = false;
  el("said").focus();
};
const entryShown = ({ index, text, body, at }) => {
  const box = document.createElement("details"), actor = body.actor || {}, target = body.target || {};
  box.append(made("summary", `#${index}  ${moment(at)}  ${body.action}  by ${actor.label || actor.id || "nobody named"}${target.id ? `  on ${target.type} ${target.id}` : ""}`));
  let shown = text;
  try { shown = JSON.stringify(body, null, 2); } catch { /* as it stands */ }
  const pre = made("pre", shown);
  pre.tabIndex = 0;
  pre.setAttribute("role", "group");
  pre.setAttribute("aria-label", `Entry ${index} as it was recorded`);
  box.append(pre);
  return box;
};
let chosen = null, turn = 0;
const go = async () => {
  const mine = (turn += 1);
  el("verdict").hidden = el("entries-part").hidden = true;
  if (!chosen) { el("status").textContent = "Choose an evidence bundle first."; return; }
  if (!globalThis.crypto?.subtle) { el("status").textContent = "This browser gives a page from disk no arithmetic to check with. Use another one, or run: python3 verify.py bundle.zip"; return; }
  el("status").textContent = `Checking ${visible(chosen.name)} ...`;
  const check = new Check(null, []);
  let code = FAILED;
  try {
    for (const line of el("keys").value.split("\n").filter((one) => one.trim())) check.given.push(await keyOf(line));
    check.keys.push(...check.given);
  } catch (error) {
    el("status").textContent = `A key that you gave ${error.message}. Nothing was checked.`;
    return;
  }
  try {
    if (chosen.size > MOST) throw new Wrong("is too large for a browser; use verify.py");
    check.zip = new Zip(await chosen.arrayBuffer());
    code = await check.run();
  } catch (error) {
    check.wrong("bundle", error instanceof Wrong ? error.message : "cannot be read");
  }
  if (mine !== turn) return;
  el("status").textContent = `${SAYS[code][0]}: ${visible(chosen.name)}.`;
  show(check, code);
};
const choose = (file) => { if (file) { chosen = file; go(); } };
el("file").addEventListener("change", () => choose(el("file").files[0]));
el("again").addEventListener("click", go);
document.addEventListener("dragover", (event) => { event.preventDefault(); el("drop").classList.add("over"); });
document.addEventListener("dragleave", () => el("drop").classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); el("drop").classList.remove("over"); choose(event.dataTransfer.files[0]); });

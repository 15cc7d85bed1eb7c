/* The parts of a conversation as elements; text goes in as text and never as markup. */

const BY = { agent: "Agent", person: "A person" };

/** One element with text. */
function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/**
 * The element for one stored frame.
 * @param {{seq: number, role: string, kind: string, text: string, parts: object}} frame
 * @param {(callId: string, digest: string, agree: boolean) => void} answer
 * @param {string} [clientId] of a message that is still on its way
 */
export function card(frame, answer, clientId) {
  const node = element("div", "frame");
  node.dataset.role = frame.role;
  node.dataset.kind = frame.kind;
  if (clientId) node.id = `m-${clientId}`;
  const by = frame.role === "person" && frame.parts.by ? frame.parts.by : BY[frame.role];
  if (by) node.append(element("span", "by", by));
  node.append(document.createTextNode(frame.text));
  if (frame.kind === "confirm") node.append(details(frame.parts), choice(frame.parts, answer));
  if (frame.parts.next) node.append(summary(frame.parts));
  return node;
}

/** The element that collects provisional text of one attempt. */
export function provisional(epoch) {
  const node = element("div", "frame");
  node.dataset.role = "agent";
  node.dataset.provisional = "";
  node.dataset.epoch = epoch;
  node.dataset.n = -1;
  return node;
}

/** What was asked and not done, to read only, and what the visitor can do now. */
function summary(parts) {
  const all = element("div", "summary");
  if (parts.asked && parts.asked.length) {
    const fold = document.createElement("details");
    fold.append(element("summary", "", "What was asked"), details({ lines: parts.asked }));
    all.append(fold);
  }
  const steps = document.createElement("ul");
  for (const step of parts.next) steps.append(element("li", "", step));
  all.append(steps);
  return all;
}

/** What would change, field by field, as the server worked it out. */
function details(parts) {
  const list = document.createElement("dl");
  for (const line of parts.lines || []) {
    list.append(element("dt", "", line.field.replaceAll("_", " ")));
    const value = element("dd", "", "");
    if (line.before) value.append(element("del", "", line.before), " ");
    value.append(element("ins", "", line.after || "(nothing)"));
    list.append(value);
  }
  return list;
}

function choice(parts, answer) {
  const acts = element("div", "acts");
  for (const [word, agree] of [["Yes, do it", true], ["No", false]]) {
    const button = element("button", agree ? "act yes" : "act", word);
    button.type = "button";
    button.addEventListener("click", () => answer(parts.call, parts.digest, agree));
    acts.append(button);
  }
  return acts;
}

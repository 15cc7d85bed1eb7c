/**
 * An open page claims its proposal while somebody looks at it, and goes on to until its lease could end.
 * Closing the page gives nothing back: a claim that ended with a vote would tell of it.
 */

const LOOK_MS = 1500; // skimming through a list claims nothing
const AGAIN_MS = 120_000;
let timer = 0;

const region = () => document.getElementById("claims");
const wanted = () => region()?.querySelector("[data-claims]")?.dataset.claims;

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}")["X-CSRFToken"] ?? "";
}

async function claim() {
  clearTimeout(timer);
  const address = wanted();
  if (!address || document.visibilityState === "hidden") return;
  timer = setTimeout(claim, AGAIN_MS);
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify({ by_itself: true }),
  }).catch(() => null);
  if (answer) region()?.soon();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  timer = setTimeout(claim, LOOK_MS);
});
timer = setTimeout(claim, LOOK_MS);

/** An open page claims its proposal while somebody looks at it. Closing it gives nothing back: that would tell. */

const LOOK_MS = 1500; // skimming through a list claims nothing
const AGAIN_MS = 120_000;
let timer = 0;

const region = () => document.getElementById("claims");

async function claim() {
  clearTimeout(timer);
  const address = region()?.querySelector("[data-claims]")?.dataset.claims;
  if (!address || document.visibilityState === "hidden") return;
  timer = setTimeout(claim, AGAIN_MS);
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers:inherited")) },
    body: JSON.stringify({ by_itself: true }),
  }).catch(() => null);
  if (answer) region()?.soon();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  timer = setTimeout(claim, LOOK_MS);
});
timer = setTimeout(claim, LOOK_MS);

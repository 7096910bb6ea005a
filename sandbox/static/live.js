// Keeps the part of a page that changes up to date: asks every second, swaps only when the server has another state.
// Not here: any decision. Without this script the page reloads itself.

const EVERY_MS = 1000;
const live = document.getElementById("live");
let have = "";

async function refresh() {
  const url = new URL(live.dataset.live, location.href);
  url.searchParams.set("have", have);
  try {
    const answer = await fetch(url, { cache: "no-store" });
    if (answer.status === 200) {
      live.innerHTML = await answer.text();
      have = answer.headers.get("X-State") ?? "";
      live.dataset.fresh = have;
    }
  } catch {
    // The sandbox restarts: the next round finds it again.
  }
}

function tick() {
  for (const clock of live.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.round((Date.parse(clock.dataset.until) - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}

async function round() {
  if (!document.hidden) await refresh();
  tick();
  setTimeout(round, EVERY_MS);
}

if (live) round();

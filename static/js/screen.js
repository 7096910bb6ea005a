/* A machine's screen: runs for weeks, untouched. While the line is down it keeps what it showed, as long as that is true,
   and asks ever more slowly. Once a day, when nobody is at it, it loads itself anew. */
import { runCountdowns, skipUnchanged, watchConnection } from "./live.js";

const RELOAD_AFTER_MS = 24 * 3600 * 1000; // picks up new releases and frees what a long-lived page gathers
const SILENT_MS = 5 * 60 * 1000;
const PACE_MS = 2000;
const SLOWEST_MS = 30 * 1000;

const started = performance.now();
let failures = 0;
let nextTry = 0;
let lastWorked = started;
let ends = null; // {steady, calendar}: when what is shown stops being true, on both clocks; one of them may have slept

const screenOf = () => document.getElementById("screen");

function live(seconds) {
  const left = Number(seconds) * 1000;
  ends = seconds === undefined ? null : { steady: performance.now() + left, calendar: Date.now() + left };
  showStale(false);
}

function showStale(stale) {
  const shown = screenOf();
  if (shown) shown.hidden = stale;
  document.getElementById("stale").hidden = !stale;
}

function failed() {
  failures += 1;
  nextTry = performance.now() + Math.min(PACE_MS * 2 ** failures, SLOWEST_MS);
}

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, failed);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (performance.now() < nextTry) event.preventDefault();
});
document.addEventListener("htmx:afterOnLoad", ({ detail: { xhr } }) => {
  if (xhr.status !== 200) return;
  failures = nextTry = 0;
  lastWorked = performance.now();
  live(/data-life="(\d+)"/.exec(xhr.responseText)?.[1]);
});
addEventListener("online", () => {
  nextTry = 0;
});

live(screenOf()?.dataset.life);
runCountdowns();
skipUnchanged();
watchConnection(document.getElementById("offline"));

/* Only onto a page that really answers: a reload into a dead line would leave the browser's own error page for ever. */
async function reloadIfReachable() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.ok) location.reload();
  } catch {
    /* still down: what is true stays on show, the next round tries again */
  }
}

setInterval(() => {
  if (ends && (performance.now() > ends.steady || Date.now() > ends.calendar)) showStale(true);
}, 1000);
setInterval(() => {
  const now = performance.now();
  const old = now - started > RELOAD_AFTER_MS && screenOf()?.dataset.state === "scan";
  if (old || now - lastWorked > SILENT_MS || !screenOf()) reloadIfReachable();
}, 30 * 1000);

/* Keeps the display on where the browser may. */
if ("wakeLock" in navigator) {
  const keepAwake = () => navigator.wakeLock.request("screen").catch(() => {});
  keepAwake();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && keepAwake());
}

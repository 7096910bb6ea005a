/* A machine's screen: runs for weeks, untouched. When nothing has worked for long, or a new release may be out, it loads itself anew. */
import { runCountdowns, skipUnchanged, watchConnection } from "./live.js";

const RELOAD_AFTER_MS = 6 * 3600 * 1000; // picks up new releases and frees what a long-lived page gathers
const RELOAD_DOWN_MS = 60 * 1000;

runCountdowns();
skipUnchanged();
const downSince = watchConnection(document.getElementById("offline"));
const started = performance.now();

/* Only onto a page that really answers: a reload into a dead line would leave the browser's own error page for ever. */
async function reloadIfReachable() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (answer.ok) location.reload();
  } catch {
    /* still down: the banner stays, the next round tries again */
  }
}

setInterval(() => {
  const idle = document.getElementById("screen")?.dataset.state === "scan";
  const old = performance.now() - started > RELOAD_AFTER_MS;
  const since = downSince();
  const down = since && performance.now() - since > RELOAD_DOWN_MS;
  const lost = !document.getElementById("screen");
  if ((old && idle) || down || lost) reloadIfReachable();
}, 30 * 1000);

/* Keeps the display on where the browser may. */
if ("wakeLock" in navigator) {
  const keepAwake = () => navigator.wakeLock.request("screen").catch(() => {});
  keepAwake();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && keepAwake());
}

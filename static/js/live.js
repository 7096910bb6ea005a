/* What every page with a live part needs: countdowns, quiet polling, a word when the line is down.
   No page knowledge here; importing it does nothing until a function is called. */

const deadlines = new WeakMap();

function write(element) {
  const left = Math.max(0, Math.round((deadlines.get(element) - performance.now()) / 1000));
  const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (element.textContent !== text) element.textContent = text;
}

/* Counts every [data-countdown="seconds"] down. Measured on the browser's steady clock, never on its calendar. */
export function runCountdowns() {
  const tick = () => {
    for (const element of document.querySelectorAll("[data-countdown]")) {
      if (!deadlines.has(element)) {
        deadlines.set(element, performance.now() + Number(element.dataset.countdown) * 1000);
      }
      write(element);
    }
  };
  tick();
  setInterval(tick, 1000);
}

/* An answer whose data-version is the one on show is not swapped in: no flicker, no lost focus, no repeated speech. */
export function skipUnchanged() {
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    const version = /data-version="([^"]*)"/.exec(xhr.responseText || "")?.[1];
    if (!version || target.dataset.version !== version) return;
    event.detail.shouldSwap = false;
    const seconds = /data-countdown="(\d+)"/.exec(xhr.responseText)?.[1];
    const shown = target.querySelector("[data-countdown]");
    if (seconds && shown) deadlines.set(shown, performance.now() + Number(seconds) * 1000);
  });
}

/* Shows `banner` after two failed requests in a row or when the browser says that it is offline; hides it on success.
   Returns a function that tells since when (ms on the steady clock) nothing has worked, or 0. */
export function watchConnection(banner) {
  let failures = 0;
  let since = 0;
  const show = (down) => {
    banner.hidden = !down;
  };
  const failed = (event) => {
    const status = event.detail?.xhr?.status ?? 0;
    if (status && status < 500) return;
    failures += 1;
    since ||= performance.now();
    if (failures >= 2) show(true);
  };
  const worked = () => {
    failures = 0;
    since = 0;
    show(false);
  };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) document.addEventListener(name, failed);
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 500) worked();
  });
  addEventListener("offline", () => show(true));
  addEventListener("online", () => {
    failures = 0;
    show(false);
    refresh();
  });
  return () => since;
}

/* Asks every polling element to look now. */
export function refresh() {
  for (const element of document.querySelectorAll("[data-poll]")) element.dispatchEvent(new Event("refresh"));
}

/* Every page of the shop: forms that go out once, times in the reader's zone, polling that rests while nobody looks. */
import { refresh, runCountdowns, skipUnchanged, watchConnection } from "./live.js";

/* The page's language, in the reader's own kind of it where there is one: en-GB writes 22:07, en-US 10:07 PM. */
const { lang } = document.documentElement;
const base = lang.split("-")[0];
const language = navigator.languages.find((known) => known.split("-")[0] === base) ?? lang;

const TIME_FORMATS = {
  date: { dateStyle: "medium" },
  short: { timeStyle: "short" },
  long: { dateStyle: "medium", timeStyle: "short" },
};

function localTimes() {
  for (const element of document.querySelectorAll("time[data-local-time]")) {
    const format = TIME_FORMATS[element.dataset.localTime] ?? TIME_FORMATS.long;
    element.textContent = new Intl.DateTimeFormat(language, format).format(new Date(element.dateTime));
    element.removeAttribute("data-local-time");
  }
}

/* A second tap on "Pay" or "Start" must not send a second request. The server is safe against it too. */
function sendOnce() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-once]")) return;
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "1";
    event.target.querySelector("button:not([name])")?.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector("[aria-disabled]")?.removeAttribute("aria-disabled");
    }
  });
}

function restWhileHidden() {
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) refresh();
  });
}

/* The heading of the live part is read out when it changes, and only then. */
function announce() {
  const live = document.getElementById("live");
  let last = document.querySelector("[data-announce]")?.textContent.trim();
  document.addEventListener("htmx:afterSwap", () => {
    localTimes();
    const text = document.querySelector("[data-announce]")?.textContent.trim();
    if (text && text !== last) live.textContent = last = text;
  });
}

document.documentElement.classList.add("js");
localTimes();
sendOnce();
runCountdowns();
skipUnchanged();
restWhileHidden();
announce();
watchConnection(document.getElementById("offline"));

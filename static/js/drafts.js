/* Keeps a design while it is made: says that it is saved, sends what the last moment left unsent, and asks what counts when
   another window was faster. The studio's own script sends every change and tells of it on form#studio:
   studio:changed {layout}, studio:saved, studio:refused {code, detail}. */

const form = document.getElementById("studio");
const saved = document.getElementById("saved");
let layout = null;
let unsent = false;

function say(text) {
  if (saved && saved.textContent !== text) saved.textContent = text;
}

/* The newest layout, as the studio's script would send it. `more`: for the address. */
function send(more = "", options = {}) {
  const shell = form.querySelector("[name=shell]:checked");
  if (!shell || !layout) return null;
  return fetch(form.dataset.layoutUrl + more, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, Accept: "application/json" },
    body: JSON.stringify({ shell: shell.value, layout, accept_low_resolution: form.elements.accept_low_resolution.checked }),
    ...options,
  });
}

async function sendAgain(more = "") {
  try {
    const answer = await send(more);
    if (answer?.ok) done();
  } catch {
    say(saved?.dataset.textWaiting); // still no connection
  }
}

function done() {
  unsent = false;
  say(saved?.dataset.textSaved);
}

function ask(detail) {
  const copy = document.getElementById("stale").content.firstElementChild.cloneNode(true);
  copy.querySelector("[data-text]").textContent = detail;
  copy.querySelector("[data-newest]").addEventListener("click", () => {
    unsent = false;
    location.reload();
  });
  copy.querySelector("[data-mine]").addEventListener("click", () => {
    copy.remove();
    sendAgain("&mine=1");
  });
  document.getElementById("problems").replaceChildren(copy);
  copy.scrollIntoView({ block: "nearest" });
}

form.addEventListener("studio:changed", ({ detail }) => {
  layout = detail.layout;
  unsent = true;
});
form.addEventListener("studio:saved", done);
form.addEventListener("studio:refused", ({ detail }) => {
  if (detail.code !== "design_stale") return say(typeof detail.code === "string" ? "" : saved?.dataset.textWaiting);
  unsent = false; // until it is decided what counts
  ask(detail.detail);
});
addEventListener("online", () => {
  if (unsent) sendAgain();
});
/* The studio waits for a pause of the fingers; whoever leaves in that moment loses nothing. */
addEventListener("pagehide", () => {
  if (unsent) send("", { keepalive: true })?.catch(() => {});
});

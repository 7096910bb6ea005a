/* Sends one photo: made smaller first, with a progress that is seen and read out, and again by itself after a lost
   connection. Every try carries the same id, so that the server keeps one photo however often it comes (upload_id).
   XMLHttpRequest because fetch tells nothing about what has been sent. */
import { smaller } from "./shrink.js";

const MAX_BYTES = 20 * 1024 * 1024; // the server's limit; asked here only to spare a slow phone the way
const PATIENCE_MS = 180000;
const WAITS_MS = [1000, 2000, 4000, 8000, 15000];
const TRY_AGAIN = new Set([0, 408, 502, 503, 504]); // 0: the line, not the server

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/* The bar and the words below it, made from <template id="upload">. */
class View {
  constructor() {
    this.bar = document.getElementById("progress");
    const template = document.getElementById("upload");
    this.texts = template.dataset;
    this.box = template.content.firstElementChild.cloneNode(true);
    this.words = this.box.querySelector("[role=status]");
    this.button = this.box.querySelector("button");
    this.bar.after(this.box);
    this.sent(0);
  }

  /* Read out in steps of ten, or nobody could follow. */
  sent(part) {
    this.bar.hidden = false;
    this.bar.value = 100 * part;
    if (part === 1) this.bar.removeAttribute("value"); // the server is at work now
    this.say(part === 1 ? this.texts.textWorking : this.texts.textSending.replace("{percent}", 10 * Math.floor(10 * part)));
  }

  say(text) {
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  wait() {
    this.bar.hidden = true;
    this.say(this.texts.textWaiting);
  }

  /* Resolves when the shopper presses "Try again", or the connection comes back. */
  async giveUp() {
    this.bar.hidden = true;
    this.say(this.texts.textGaveUp);
    this.button.hidden = false;
    await Promise.race([
      new Promise((resolve) => this.button.addEventListener("click", resolve, { once: true })),
      new Promise((resolve) => addEventListener("online", resolve, { once: true })),
    ]);
    this.button.hidden = true;
  }

  end() {
    this.bar.hidden = true;
    this.box.remove();
  }
}

/* One try: {status, answer}; status 0 when the line was lost on the way. */
function send(form, photo, id, view) {
  const body = new FormData();
  body.append("upload_id", id);
  body.append("photo_file", photo, photo.name || "photo.jpg");
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const lost = () => request.abort();
    const finish = (status, text = "") => {
      removeEventListener("offline", lost);
      let answer = {};
      try {
        answer = JSON.parse(text);
      } catch {
        // a proxy's page: the status says enough
      }
      resolve({ status, answer });
    };
    request.open("POST", form.dataset.photoUrl);
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => view.sent(lengthComputable ? loaded / total : 0.5));
    request.addEventListener("load", () => finish(request.status, request.responseText));
    for (const name of ["error", "timeout", "abort"]) request.addEventListener(name, () => finish(0));
    addEventListener("offline", lost);
    view.sent(0);
    request.send(body);
  });
}

/* Until there is a connection, and some time longer with each try. */
async function pause(tries) {
  if (navigator.onLine) await new Promise((resolve) => setTimeout(resolve, WAITS_MS[tries]));
  else await new Promise((resolve) => addEventListener("online", resolve, { once: true }));
}

/* As often as it takes; only the server's word ends it. */
async function sendUntilAnswered(form, photo, view) {
  const id = newId();
  for (let tries = 0; ; ) {
    const { status, answer } = await send(form, photo, id, view);
    if (!TRY_AGAIN.has(status)) return { status, answer };
    if (tries === WAITS_MS.length) {
      await view.giveUp();
      tries = 0;
      continue;
    }
    const connected = navigator.onLine;
    view.wait();
    await pause(tries);
    if (connected) tries += 1;
  }
}

/* Resolves with {id, url, width_px, height_px}; rejects with an Error whose message is for the shopper. */
export async function uploadPhoto(form, input) {
  const texts = form.dataset;
  const [file] = input.files;
  const view = new View();
  try {
    const photo = await smaller(file, Number(view.texts.printPx));
    if (photo.size > MAX_BYTES) throw new Error(texts.textLarge);
    const { status, answer } = await sendUntilAnswered(form, photo, view);
    if (status >= 200 && status < 300 && answer.id) return answer;
    if (status === 410) throw new Error(texts.textExpired);
    throw new Error(answer.detail || (status === 413 ? texts.textLarge : texts.textFailed));
  } finally {
    view.end();
    input.value = ""; // or the whole form would carry the photo again
  }
}

/* The studio: keeps the form's fields, the stage under the fingers and the server's picture in step.
   The form is the truth: whatever happens here is written into its fields, and without this script it still works. */
import { Stage, turned } from "./stage.js";
import { uploadPhoto } from "./upload.js";

const WAIT_MS = 350; // one picture per pause of the fingers, not one per pixel
const PATIENCE_MS = 20000;

const form = document.getElementById("studio");
const stageElement = document.getElementById("stage");
const preview = document.getElementById("preview");
const fields = form.elements;
const place = { cx: "photo_cx", cy: "photo_cy", width: "photo_width", rotation: "photo_rotation" };
const stage = new Stage(stageElement, { onMove: writePlace, onDone: (value) => changed(writePlace(value)) });

let chosenByHand = fields.photo_width.value !== ""; // the shopper moved the photo: a new shell must not undo it
let timer = 0;
let running = null;

const number = (name) => (fields[name].value === "" ? null : Number(fields[name].value));
const picked = (name) => form.querySelector(`[name="${name}"]:checked`);
const rounded = (value) => Math.round(value * 1000) / 1000;

function writePlace(value) {
  for (const [key, name] of Object.entries(place)) fields[name].value = rounded(value[key]);
  chosenByHand = true;
  return value;
}

function readPlace() {
  return { cx: number("photo_cx"), cy: number("photo_cy"), width: number("photo_width"), rotation: rounded(turned(number("photo_rotation") ?? 0)) };
}

function slider(name, low, high) {
  const input = fields[name];
  input.min = rounded(low);
  input.max = rounded(high);
}

/* Numbers become sliders; what they say is read from the form in either shape. */
function makeSliders() {
  for (const input of form.querySelectorAll("[data-range]")) {
    const { value } = input;
    input.type = "range";
    input.className = "range range-primary w-full";
    if (input.name === "photo_rotation") [input.min, input.max] = [-180, 180];
    if (value !== "") input.value = value;
  }
}

/* Without a shell nothing has a size: what would move or scale it stays away until it means something. */
function reveal() {
  const shell = Boolean(picked("shell"));
  const words = Boolean(fields.text.value.trim());
  for (const element of form.querySelectorAll("[data-if-place]")) element.hidden = !(shell && stage.aspect);
  form.querySelector("[data-if-text]").hidden = !(shell && words);
  form.querySelector("[data-if-no-shell]").hidden = shell || !(stage.aspect || words);
}

/* The chosen shell gives the size of everything. */
function takeShell() {
  reveal();
  const radio = picked("shell");
  if (!radio) return;
  const { width, height, bleed, radius } = radio.dataset;
  const shell = { width: Number(width), height: Number(height), bleed: Number(bleed), radius: Number(radius) };
  stage.setShell(shell);
  slider("text_cy", 0, shell.height);
  if (!fields.text_cx.value) {
    fields.text_cx.value = rounded(shell.width / 2);
    fields.text_cy.value = rounded(shell.height * 0.86);
    fields.text_size.value = 8;
  }
  settleIn();
}

/* Sliders reach as far as this photo, shell and template allow; a place chosen by hand stays, any other is made anew. */
function settleIn() {
  if (!stage.aspect || !stage.shell) return;
  const byHand = chosenByHand && readPlace();
  const { width, cx, cy } = stage.limits();
  slider("photo_width", ...width);
  slider("photo_cx", ...cx);
  slider("photo_cy", ...cy);
  if (byHand) writePlace(stage.limit(byHand));
  else fill();
  stage.setPlace(readPlace());
}

function takeTemplate() {
  stage.setSlots(JSON.parse(picked("template")?.dataset.slots || "[]"));
}

function fill() {
  stage.setPlace(stage.filling());
  writePlace(stage.place);
  chosenByHand = false;
}

function layout() {
  const items = [];
  if (fields.photo.value && stage.aspect) {
    const photo = { kind: "photo", photo: fields.photo.value };
    items.push({ ...photo, slot: 0, ...readPlace() });
    for (let slot = 1; slot < stage.slots.length; slot += 1) items.push({ ...photo, slot, ...stage.filling(slot) });
  }
  const text = fields.text.value.trim();
  if (text) {
    items.push({
      kind: "text", text, font: picked("text_font")?.value ?? fields.text_font?.value ?? "latin",
      cx: number("text_cx"), cy: number("text_cy"), size: number("text_size"),
      color: picked("text_color")?.value ?? "#111111", rotation: 0,
    });
  }
  return { version: 1, template: picked("template")?.value || null, background: picked("template")?.dataset.background || "#ffffff", items };
}

function changed() {
  clearTimeout(timer);
  timer = setTimeout(send, WAIT_MS);
}

async function send() {
  const shell = picked("shell");
  if (!shell) return;
  running?.abort();
  const mine = (running = new AbortController());
  const late = setTimeout(() => mine.abort(), PATIENCE_MS);
  stageElement.toggleAttribute("data-busy", true);
  try {
    const answer = await fetch(form.dataset.layoutUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": fields.csrfmiddlewaretoken.value, Accept: "application/json" },
      body: JSON.stringify({
        shell: shell.value, layout: layout(), accept_low_resolution: fields.accept_low_resolution.checked,
      }),
      signal: mine.signal,
    });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(answer.status === 410 ? form.dataset.textExpired : body.detail || form.dataset.textFailed);
    await show(body, mine);
  } catch (error) {
    if (running === mine) complain(error instanceof TypeError || error.name === "AbortError" ? form.dataset.textOffline : error.message);
  } finally {
    clearTimeout(late);
    if (running === mine) stageElement.removeAttribute("data-busy");
  }
}

/* The new picture is decoded before it replaces the old one, so nothing blinks. */
async function show(body, mine) {
  const next = new Image();
  next.src = body.preview_url;
  await next.decode().catch(() => {});
  if (running !== mine) return;
  preview.src = document.getElementById("mini").src = body.preview_url;
  stage.settle();
  complain("");
  if (body.price) document.getElementById("price").textContent = body.price;
  document.getElementById("warnings").replaceChildren(...body.warnings.map((warning) => note("warning", warning.text)));
  document.getElementById("low-resolution").hidden = !body.low_resolution;
  fields.accept_low_resolution.required = body.low_resolution;
}

function note(template, text) {
  const copy = document.getElementById(template).content.firstElementChild.cloneNode(true);
  copy.querySelector("span").textContent = text;
  return copy;
}

function complain(text) {
  document.getElementById("problems").replaceChildren(...(text ? [note("problem", text)] : []));
  if (text) document.getElementById("problems").scrollIntoView({ block: "nearest" });
}

function photoArrived({ id, url, width_px, height_px }) {
  fields.photo.value = id;
  stage.setPhoto(url, width_px, height_px);
  for (const element of form.querySelectorAll("[data-if-photo]")) element.hidden = false;
  for (const element of form.querySelectorAll("[data-if-no-photo]")) element.hidden = true;
  chosenByHand = false;
  reveal();
  settleIn();
  changed();
}

function textChanged() {
  const { value } = fields.text;
  reveal();
  const chinese = form.querySelector('[name="text_font"][value="chinese"]');
  if (chinese && /\p{Script=Han}/u.test(value)) chinese.checked = true;
}

function listen() {
  form.addEventListener("input", (event) => {
    const { name } = event.target;
    if (Object.values(place).includes(name) && stage.place) {
      stage.moving();
      stage.setPlace(readPlace());
      chosenByHand = true;
    }
    if (name === "text") textChanged();
    if (name !== "brand" && name !== "model" && name !== "photo_file") changed();
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "shell") takeShell();
    if (target.name === "template") {
      takeTemplate();
      chosenByHand = false; // its slot lies elsewhere, so the old place means nothing there
      settleIn();
    }
    if (target.name === "photo_file" && target.files.length) {
      uploadPhoto(form, target).then(photoArrived, (error) => complain(error.message));
    }
  });
  document.getElementById("fit").addEventListener("click", () => {
    if (!stage.shell || !stage.aspect) return;
    stage.moving();
    fill();
    changed();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "phone" && event.detail.elt?.id !== "phone") return;
    takeShell();
    changed();
  });
}

/* What was chosen before this script had come over a slow line, or what the browser put back, counts too. */
function catchUp() {
  const chosen = (field) => field.dispatchEvent(new Event("change", { bubbles: true }));
  if (fields.brand.value && fields.model.disabled) chosen(fields.brand);
  else if (fields.model.value && !fields.shell) chosen(fields.model);
  if (fields.photo_file.files.length) chosen(fields.photo_file);
}

makeSliders();
if (stageElement.dataset.photo) {
  stage.setPhoto(stageElement.dataset.photo, Number(stageElement.dataset.photoWidth), Number(stageElement.dataset.photoHeight));
}
takeTemplate();
takeShell();
textChanged();
listen();
addEventListener("DOMContentLoaded", catchUp); // after htmx, which listens from then on

/* The studio: brings the parts together. The store is the design; the scene draws it, hands, handles, panels and keys change it,
   the server keeps it and draws what will be printed. Without this script the page is a plain form. */
import { shellOf } from "./geometry.js";
import { Kit } from "./kit.js";
import { Panels } from "./panels.js";
import { Pictures } from "./pictures.js";
import { Placing } from "./placing.js";
import { Scene } from "./scene.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { Tray } from "./tray.js";

const form = document.getElementById("studio");
const fields = form.elements;
const store = new Store();
const kit = new Kit(form);
const pictures = new Pictures();
const placing = new Placing(store, kit, pictures);
const scene = new Scene(document.getElementById("canvas"), { store, pictures, kit });
const sync = new Sync(form, store);
const panels = new Panels(form, { store, placing, pictures, kit });
const tray = new Tray(form, { store, kit, pictures, placing, sync });
let held = null; // hands, handles and keys, on their way or here
let pieces = null;
let crop = null;

const acts = {
  undo: () => (pieces ? pieces.travel(false) : store.undo()),
  redo: () => (pieces ? pieces.travel(true) : store.redo()),
  forward: () => store.shift(store.selected, 1),
  backward: () => store.shift(store.selected, -1),
  copy: () => store.copy(store.selected) ?? sync.complain(form.dataset.textFull),
  remove: () => store.remove(store.selected),
  crop: () => cut(store.current("photo")),
  fill: () => placing.fill(store.current("photo")),
  whole: () => placing.whole(store.current("photo")),
  turn: () => placing.turn(store.current("photo")),
  text: () => panels.anotherText(),
};

/* Tapped twice: a photo is cut, words are written. */
function open(id) {
  const item = store.item(id);
  if (item.kind === "photo" && store.shell.id) cut(item);
  if (item.kind === "text") fields.text.focus();
}

/* Scissors come when they are asked for; hands, handles, keys and filters with the first thing that there is to hold. */
async function cut(item) {
  const { Crop } = await import("./crop.js");
  crop ??= new Crop(pictures, (photo, part) => placing.crop(photo, part));
  crop.open(item);
}

async function lend() {
  if (held || !store.items.length) return;
  held = Promise.all([import("./handles.js"), import("./hands.js"), import("./pieces.js")]);
  kit.loadFilters(pictures);
  try {
    const [{ Handles }, { Hands }, { Pieces }] = await held;
    new Handles(scene).refresh();
    new Hands(scene, { onOpen: open });
    pieces = new Pieces(form, { store, kit });
    pieces.render();
  } catch {
    held = null; // the line was lost: with the next change
  }
}

/* The chosen colour of the case gives the size of everything. */
function takeShell() {
  const radio = form.querySelector("[name=shell]:checked");
  if (!radio) return false;
  store.setShell(shellOf(radio), (item, before, shell) => placing.refit(item, before, shell));
  scene.fit();
  return true;
}

function draw() {
  lend();
  kit.needFonts(store.of("text"));
  scene.render();
  panels.render();
  pieces?.render();
  tray.render();
}

let drawing = 0;
function redraw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}

function listen() {
  store.addEventListener("change", () => {
    redraw();
    sync.soon();
  });
  for (const source of [pictures, kit]) source.addEventListener("change", redraw);
  kit.addEventListener("change", () => tray.renderStickers());
  store.addEventListener("select", redraw);
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-do]");
    if (button) acts[button.dataset.do]();
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "shell" && takeShell()) sync.soon();
    if (target.name === "template") placing.useTemplate(target.value);
    if ("background" in target.dataset) store.change("background", () => ({ [target.name]: target.value || null }));
  });
  form.addEventListener("input", ({ target }) => {
    const name = target.dataset.backgroundAny;
    if (name) store.change("background", () => ({ [name]: target.value }));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "phone" && event.detail.elt?.id !== "phone") return;
    panels.panels();
    if (takeShell()) sync.soon();
  });
}

function begin() {
  for (const photo of JSON.parse(document.getElementById("photos").textContent).reverse()) pictures.learn(photo);
  const saved = fields.layout.value && JSON.parse(fields.layout.value);
  const chosen = takeShell();
  const template = form.querySelector("[name=template]:checked")?.value ?? null;
  store.load(saved || { template, background: kit.background(template) });
  const lone = pictures.get(fields.photo.value);
  if (!saved && lone) store.amend(() => ({ items: placing.spread(lone.id, Math.max(1, kit.slots(template).length)) }));
  const known = saved && document.getElementById("preview").src.includes("/preview.png");
  if (known && chosen) sync.sent = sync.body();
  if (store.of("sticker").length) kit.loadStickers();
  listen();
  panels.show(chosen ? "photo" : "phone");
  store.tell();
}

/* What was chosen before this script had come over a slow line, or what the browser put back, counts too. */
function catchUp() {
  const chosen = (field) => field.dispatchEvent(new Event("change", { bubbles: true }));
  if (fields.brand.value && fields.model.disabled) chosen(fields.brand);
  else if (fields.model.value && !fields.shell) chosen(fields.model);
  if (fields.photo_file.files.length) chosen(fields.photo_file);
  if (fields.text.value && !store.of("text").length) panels.words(fields.text.value);
}

begin();
addEventListener("DOMContentLoaded", catchUp); // after htmx, which listens from then on

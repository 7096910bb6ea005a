/* The studio: brings the parts together. The store is the design; the scene draws it, hands, handles, panels and keys change it,
   the server keeps it and draws what will be printed. Without this script the page is a plain form. */
import { shellOf } from "./geometry.js";
import { Kit } from "./kit.js";
import { konva } from "./konva.js";
import { Panels } from "./panels.js";
import { Phone } from "./phone.js";
import { Pictures } from "./pictures.js";
import { Placing } from "./placing.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { Tray } from "./tray.js";

const form = document.getElementById("studio");
const fields = form.elements;
const store = new Store();
const kit = new Kit(form);
const pictures = new Pictures();
const placing = new Placing(store, kit, pictures);
const sync = new Sync(form, store);
const panels = new Panels(form, { store, placing, pictures, kit });
const tray = new Tray(form, { store, kit, pictures, placing, sync });
new Phone(form, { onChange: takePhone, complain: (text) => sync.complain(text) });
let coming = null; // what draws and holds things, on its way or here
let scene = null;
let pieces = null;
let doubts = () => new Map();
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
  if (item.kind !== "text") return;
  panels.show("text"); // whatever panel is open
  fields.text.focus();
}

/* Scissors come when they are asked for; the stage, hands, handles, keys and filters with the first thing to hold. */
async function cut(item) {
  const { Crop } = await import("./crop.js");
  crop ??= new Crop(pictures, (photo, part) => placing.crop(photo, part));
  crop.open(item);
}

async function raise() {
  if (coming) return;
  const names = ["scene", "handles", "hands", "pieces", "doubts"];
  coming = Promise.all([konva(form.dataset.konva), ...names.map((name) => import(`./${name}.js`))]);
  try {
    const [, { Scene }, { Handles }, { Hands }, { Pieces }, { doubtsOf }] = await coming;
    await pictures.settled(store.of("photo")); // until then the server's picture stands in its place
    scene = new Scene(document.getElementById("canvas"), { store, pictures, kit });
    new Handles(scene);
    new Hands(scene, { onOpen: open });
    pieces = new Pieces(form, { store, kit });
    doubts = () => doubtsOf(store, pictures);
    draw();
    scene.layer.draw(); // in the same moment, or an empty stage would be seen
  } catch {
    coming = null; // the line was lost: with the next change
  }
}

/* The chosen colour of the case gives the size of everything. */
function takeShell() {
  const radio = form.querySelector("[name=shell]:checked");
  if (!radio) return false;
  store.setShell(shellOf(radio), (item, before, shell) => placing.refit(item, before, shell));
  scene?.fit();
  return true;
}

/* Step 1 has come anew. */
function takePhone() {
  if (takeShell()) sync.soon();
}

function draw() {
  if (store.items.length || store.shell.id) raise();
  if (store.of("photo").length) kit.loadFilters(pictures);
  kit.needFonts(store.of("text"));
  const doubted = doubts();
  if (scene) {
    scene.doubts = doubted;
    scene.render();
  }
  panels.render();
  pieces?.render(doubted);
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
  for (const touch of ["pointerdown", "keydown"]) form.addEventListener(touch, raise, { once: true });
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
  panels.show(form.dataset.open);
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
catchUp();

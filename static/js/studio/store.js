/* The design while somebody works on it: items, what is selected, what can be undone. Knows no page.
   A layout is the JSON of catalog/services/layouts.py (version 1); fields at their default are left out of it. */
import { limited, moved, SOME_SHELL } from "./geometry.js";

const MOST = { photo: 6, text: 8, sticker: 12 };
const HISTORY = 100;
const TOGETHER_MS = 700; // one step of undo for one stroke of a slider, one word typed

const KEYS = {
  photo: ["kind", "photo", "slot", "cx", "cy", "width", "rotation", "crop", "filter", "brightness", "contrast", "saturation"],
  text: ["kind", "text", "font", "cx", "cy", "size", "color", "rotation", "outline", "curve"],
  sticker: ["kind", "sticker", "cx", "cy", "width", "rotation"],
};
const LEFT_OUT = { filter: "none", brightness: 0, contrast: 0, saturation: 0, curve: 0, outline: null, crop: null };

const left = (key, value) => key in LEFT_OUT && (value === undefined || value === LEFT_OUT[key]);

export class Store extends EventTarget {
  constructor() {
    super();
    this.shell = SOME_SHELL;
    this.state = { template: null, background: "#ffffff", background2: null, items: [] };
    this.selected = null; // id of an item
    this.past = [];
    this.future = [];
    this.label = "";
    this.at = 0;
    this.count = 0;
  }

  /* A layout from the server. */
  load(layout) {
    const { template = null, background = "#ffffff", background2 = null, items = [] } = layout;
    this.state = { template, background, background2, items: items.map((item) => ({ ...item, id: this.nextId() })) };
    this.tell();
  }

  layout() {
    const { template, background, background2 } = this.state;
    const items = this.state.items.map((item) =>
      Object.fromEntries(KEYS[item.kind].filter((key) => !left(key, item[key])).map((key) => [key, item[key]])),
    );
    return { version: 1, template, background, ...(background2 ? { background2 } : {}), items };
  }

  nextId() {
    this.count += 1;
    return `item-${this.count}`;
  }

  get items() {
    return this.state.items;
  }

  item(id = this.selected) {
    return this.items.find((item) => item.id === id) ?? null;
  }

  of(kind) {
    return this.items.filter((item) => item.kind === kind);
  }

  /* What the panel of that kind is about: the selected one, else the last one that was, else the first. */
  current(kind) {
    const chosen = this.item();
    if (chosen?.kind === kind) return chosen;
    const before = this.item(this.latest?.[kind] ?? null);
    return before ?? this.of(kind)[0] ?? null;
  }

  full(kind) {
    return this.of(kind).length >= MOST[kind];
  }

  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    const item = this.item();
    if (item) this.latest = { ...this.latest, [item.kind]: item.id };
    this.dispatchEvent(new Event("select"));
  }

  /* Everything that changes the design comes through here. `label`: what belongs together is undone together. */
  change(label, make) {
    const now = Date.now();
    const together = label && label === this.label && now - this.at < TOGETHER_MS;
    if (!together) {
      this.past.push(this.state);
      if (this.past.length > HISTORY) this.past.shift();
    }
    this.future = [];
    this.label = label;
    this.at = now;
    this.state = { ...this.state, ...make(this.state) };
    this.tell();
  }

  /* Something that follows from another step and is no step of its own. */
  amend(make) {
    this.state = { ...this.state, ...make(this.state) };
    this.tell();
  }

  /* Closes a step: the next change is another one, even if it comes at once. */
  close() {
    this.label = "";
  }

  add(item, { at = this.items.length, select = true } = {}) {
    if (this.full(item.kind)) return null;
    const added = { rotation: 0, ...item, id: this.nextId() };
    this.change("", ({ items }) => ({ items: [...items.slice(0, at), limited(this.shell, added), ...items.slice(at)] }));
    if (select) this.select(added.id);
    return added;
  }

  patch(id, values, label = `${id} ${Object.keys(values)}`) {
    this.change(label, ({ items }) => ({
      items: items.map((item) => (item.id === id ? limited(this.shell, { ...item, ...values }) : item)),
    }));
  }

  remove(id) {
    const place = this.items.findIndex((item) => item.id === id);
    if (place < 0) return;
    this.change("", ({ items }) => ({ items: items.filter((item) => item.id !== id) }));
    if (this.selected === id) this.select(null);
  }

  copy(id) {
    const item = this.item(id);
    const place = this.items.indexOf(item);
    return item && this.add({ ...item, cx: item.cx + 4, cy: item.cy + 4 }, { at: place + 1 });
  }

  /* One place nearer to the eye (1) or to the case (-1). */
  shift(id, step) {
    const from = this.items.findIndex((item) => item.id === id);
    const to = from + step;
    if (from < 0 || to < 0 || to >= this.items.length) return false;
    this.change("", ({ items }) => {
      const next = [...items];
      next.splice(to, 0, ...next.splice(from, 1));
      return { items: next };
    });
    return true;
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.state);
    this.state = from.pop();
    this.label = "";
    if (!this.item()) this.selected = null;
    this.tell();
    this.dispatchEvent(new Event("select"));
  }

  /* Another case: everything moves along, also what undo would bring back. `fill(item)` gives a photo its place again if it
     filled its slot before. */
  setShell(shell, refit) {
    const before = this.shell;
    this.shell = shell;
    if (before.width === shell.width && before.height === shell.height) return this.tell();
    const onto = (state) => ({
      ...state,
      items: state.items.map((item) => limited(shell, refit(item, before, shell) ?? moved(item, before, shell))),
    });
    this.past = this.past.map(onto);
    this.future = this.future.map(onto);
    this.state = onto(this.state);
    return this.tell();
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/* The panels beside the stage: which one is open, and fields that show and change the chosen photo or text (data-bind). */
import { clamp, limits, rounded } from "./geometry.js";

const id = (name) => document.getElementById(name);
const GAP_PX = 12;
const RANGES = { rotation: [-180, 180], cx: null, cy: null };

export class Panels {
  constructor(form, { store, placing, pictures, kit }) {
    Object.assign(this, { form, store, placing, pictures, kit, open: "" });
    this.ranges();
    form.addEventListener("click", ({ target }) => {
      const tab = target.closest("[data-tab]");
      if (tab) this.bring(tab.dataset.tab, tab.parentElement);
    });
    form.addEventListener("input", (event) => this.input(event));
    form.addEventListener("compositionend", (event) => this.input(event));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.name !== "text" || event.isComposing) return;
      event.preventDefault();
      event.target.blur();
    });
    form.addEventListener("invalid", ({ target }) => this.reveal(target), true);
    store.addEventListener("select", () => this.follow());
  }

  /* Numbers become sliders; what they say is read from the form in either shape. */
  ranges() {
    for (const input of this.form.querySelectorAll("[data-range]")) {
      input.type = "range";
      input.className = "slider";
    }
  }

  /* Which panel is seen, styles/studio.css reads from the form. */
  show(name) {
    this.open = this.form.dataset.open = name;
    for (const tab of this.form.querySelectorAll("[data-tab]")) tab.setAttribute("aria-expanded", tab.dataset.tab === name);
    if (name === "stickers") this.kit.loadStickers();
    if (name === "photo" || name === "text") {
      const item = this.store.current(name);
      this.showing = true;
      if (item) this.store.select(item.id);
      this.showing = false;
    }
  }

  /* A panel that is asked for is seen from its top, also by somebody who had scrolled down in another one. */
  bring(name, tabs) {
    this.show(name);
    const panel = this.form.querySelector(`[data-panel="${name}"]`);
    const uncover = () => {
      const hidden = tabs.getBoundingClientRect().bottom + GAP_PX - panel.getBoundingClientRect().top;
      if (hidden > 0) scrollBy({ top: -hidden, behavior: "instant" });
    };
    uncover();
    requestAnimationFrame(uncover); // a shorter page may have moved by itself
  }

  /* A field that the browser complains about must be seen. */
  reveal(field) {
    const panel = field.closest("[data-panel]");
    if (panel && panel.dataset.panel !== this.open) this.show(panel.dataset.panel);
  }

  /* Who taps a text on the stage wants to change it; after the first photo comes the phone that it is for. */
  follow() {
    const kind = this.store.item()?.kind;
    if (kind && !this.store.shell.id && !this.showing) this.show("phone");
    else if (kind && this.open !== "pieces" && this.open !== kind && kind !== "sticker") this.show(kind);
    this.render();
  }

  input(event) {
    const { target } = event;
    if (target.name === "text") {
      if (!event.isComposing) this.words(target.value);
      return;
    }
    const [kind, key] = (target.dataset.bind ?? "").split(".");
    const item = kind && this.store.current(kind);
    if (!item) return;
    const value = target.type === "range" ? Number(target.value) : target.value || null;
    this.store.patch(item.id, { [key]: value });
  }

  /* The words: the first letter makes a text, the last one that goes takes it away. */
  words(value) {
    const item = this.adding ? null : this.store.current("text");
    const han = /\p{Script=Han}/u.test(value);
    if (!value.trim()) {
      if (item) this.store.remove(item.id);
    } else if (item) {
      this.store.patch(item.id, han && item.font === "latin" && !/\p{Script=Han}/u.test(item.text) ? { text: value, font: "chinese" } : { text: value });
    } else {
      const picked = (name) => this.form.querySelector(`[name="${name}"]:checked`)?.value;
      const added = this.placing.addText(value, { font: han ? "chinese" : (picked("text_font") ?? "latin"), color: picked("text_color") ?? "#111111" });
      this.adding = false;
      if (added) this.store.label = `${added.id} text`;
    }
  }

  /* An empty field for one more text. */
  anotherText() {
    const field = this.form.elements.text;
    this.store.select(null);
    this.adding = true;
    field.value = "";
    field.focus();
  }

  render() {
    const shell = Boolean(this.store.shell.id);
    const photo = this.store.current("photo");
    const text = this.adding ? null : this.store.current("text");
    if (this.store.item()?.kind === "text") this.adding = false;
    this.bind({ photo, text });
    const field = this.form.elements.text;
    if (text && field.value.trim() !== text.text.trim()) field.value = text.text;
    else if (!text && !this.adding && document.activeElement !== field) field.value = "";
    const show = (attribute, on) => this.form.querySelectorAll(`[${attribute}]`).forEach((element) => (element.hidden = !on));
    show("data-if-place", shell && photo);
    show("data-if-text", text);
    show("data-if-no-shell", !shell && this.store.items.length);
    show("data-if-no-pieces", !this.store.items.length);
    show("data-if-photo", photo);
    show("data-if-no-photo", !photo);
    this.background();
    for (const button of this.form.querySelectorAll("[data-do=undo], [data-do=redo]")) {
      button.disabled = !(button.dataset.do === "undo" ? this.store.past : this.store.future).length;
    }
    const item = this.store.item();
    id("selection").hidden = !item;
    id("stage-hint").hidden = Boolean(item) || !this.store.items.length;
    for (const button of id("selection").querySelectorAll("[data-for]")) button.hidden = button.dataset.for !== item?.kind;
  }

  bind(current) {
    for (const input of this.form.querySelectorAll("[data-bind]")) {
      const [kind, key] = input.dataset.bind.split(".");
      const item = current[kind];
      if (!item) continue;
      if (input.type === "radio") input.checked = input.value === String(item[key] ?? (key === "filter" ? "none" : ""));
      else {
        this.range(input, item, key);
        if (document.activeElement !== input || input.type === "range") input.value = rounded(item[key] ?? 0);
      }
    }
  }

  range(input, item, key) {
    const found = limits(this.store.shell, item);
    const [low, high] = key === found.key ? found.size : (found[key] ?? RANGES[key] ?? [input.min, input.max]);
    input.min = low;
    input.max = clamp(item[key] ?? 0, high, Math.max(high, item[key] ?? 0));
  }

  background() {
    const { template, background, background2 } = this.store.state;
    const tick = (name, value) => this.form.querySelectorAll(`[name="${name}"]`).forEach((radio) => (radio.checked = radio.value === value));
    if (template) tick("template", template);
    tick("background", background);
    tick("background2", background2 ?? "");
  }
}

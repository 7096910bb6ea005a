/* What designs are made of: the templates of the page, the stickers and filters of static/studio, the two fonts. Stickers, filters
   and fonts come when they are first needed. */
import { FAMILIES, forgetWidths } from "./drawing.js";

export class Kit extends EventTarget {
  constructor(form) {
    super();
    this.form = form;
    this.stickers = null;
    this.templates = new Map();
    for (const { value, dataset } of form.querySelectorAll("[name=template]")) {
      this.templates.set(value, { slots: JSON.parse(dataset.slots), overlay: JSON.parse(dataset.overlay), background: dataset.background });
    }
    this.asked = new Set();
  }

  slots(template) {
    return this.templates.get(template)?.slots ?? [];
  }

  overlay(template) {
    return this.templates.get(template)?.overlay ?? [];
  }

  background(template) {
    return this.templates.get(template)?.background ?? "#ffffff";
  }

  sticker(slug) {
    if (!this.stickers) this.loadStickers();
    return this.stickers?.[slug] ?? null;
  }

  name(slug) {
    const sticker = this.stickers?.[slug];
    return sticker ? (this.form.dataset.language.startsWith("zh") ? sticker.name_zh : sticker.name_en) : "";
  }

  async table(url) {
    if (!url || this.asked.has(url)) return null;
    this.asked.add(url);
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(answer.status);
      return await answer.json();
    } catch {
      this.asked.delete(url); // the next one who needs it asks again
      return null;
    }
  }

  async loadStickers() {
    const found = await this.table(this.form.dataset.stickersUrl);
    if (!found) return;
    this.stickers = found;
    this.dispatchEvent(new Event("change"));
  }

  async loadFilters(pictures) {
    const { filtersUrl } = this.form.dataset;
    const found = await this.table(filtersUrl);
    if (!found) return;
    try {
      Object.assign(pictures, { presets: found, filters: await import("./filters.js") });
    } catch {
      this.asked.delete(filtersUrl);
      return;
    }
    this.dispatchEvent(new Event("change"));
  }

  /* The Chinese font has its size: it comes only when a letter needs it. */
  async needFonts(texts) {
    const latin = texts.length > 0;
    const chinese = texts.some(({ font, text }) => font === "chinese" || /[^\u0000-\u017f\u2010-\u2027\u20ac\u2122]/u.test(text));
    for (const [name, wanted] of [["latin", latin], ["chinese", chinese]]) {
      if (!wanted || this.asked.has(name)) continue;
      this.asked.add(name);
      const face = new FontFace(FAMILIES[name], `url(${this.form.dataset[name === "latin" ? "fontLatin" : "fontChinese"]})`);
      face.load().then(
        () => {
          document.fonts.add(face);
          forgetWidths();
          this.dispatchEvent(new Event("change"));
        },
        () => this.asked.delete(name),
      );
    }
  }
}

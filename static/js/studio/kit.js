/* What designs are made of: the templates of the page, the stickers and filters of static/studio, the two fonts. Stickers, filters
   and fonts come when they are first needed. */
import { FAMILIES, forgetWidths } from "./drawing.js";

/* What the latin font has not (static/fonts/README.md). */
const BEYOND_LATIN = /[^\u0000-\u017f\u2010-\u2027\u20ac\u2122]/u;

export class Kit extends EventTarget {
  constructor(form) {
    super();
    this.form = form;
    this.stickers = null;
    this.slices = null; // letters of each slice of the Chinese font
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

  needFonts(texts) {
    if (!texts.length) return;
    this.needFace(FAMILIES.latin, this.form.dataset.fontLatin);
    this.needSlices(new Set(texts.flatMap(({ font, text }) => [...text].filter((letter) => font === "chinese" || BEYOND_LATIN.test(letter)))));
  }

  /* The Chinese font has its size: it lies in slices, the usual letters together, and only those come that a letter needs.
     static/fonts/noto-sans-sc/slices.json says which letters are in 00.woff2, 01.woff2, … */
  async needSlices(letters) {
    if (!letters.size) return;
    const { fontChinese } = this.form.dataset;
    if (!this.slices) {
      this.slices = await this.table(fontChinese);
      if (this.slices) this.dispatchEvent(new Event("change")); // for whatever was asked for meanwhile
      return;
    }
    this.slices.forEach((covered, n) => {
      if (![...letters].some((letter) => covered.includes(letter))) return;
      const unicodeRange = [...covered].map((letter) => `U+${letter.codePointAt(0).toString(16)}`).join();
      this.needFace(FAMILIES.chinese, new URL(`${String(n).padStart(2, "0")}.woff2`, new URL(fontChinese, location)).href, { unicodeRange });
    });
  }

  needFace(family, url, more = {}) {
    if (this.asked.has(url)) return;
    this.asked.add(url);
    const face = new FontFace(family, `url(${url})`, more);
    face.load().then(
      () => {
        document.fonts.add(face);
        forgetWidths();
        this.dispatchEvent(new Event("change"));
      },
      () => this.asked.delete(url),
    );
  }
}

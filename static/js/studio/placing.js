/* Where new things land and how photos share the slots of a template. Changes the store; knows no page. */
import { aspectOf, cropOf, filling, fitting, limited, rounded } from "./geometry.js";

const TEXT_SIZE = 8;
const TEXT_AT = 0.86; // of the height: below every camera
const NEAR = 0.02;

const sameSpot = (one, other) => ["cx", "cy", "width"].every((key) => Math.abs(one[key] - other[key]) < NEAR) && !one.rotation;

export class Placing {
  constructor(store, kit, pictures) {
    Object.assign(this, { store, kit, pictures });
  }

  slots(template = this.store.state.template) {
    return this.kit.slots(template);
  }

  aspect(item) {
    const photo = this.pictures.get(item.photo);
    return photo ? aspectOf(item, photo) : 1;
  }

  filled(item, shell = this.store.shell, slots = this.slots()) {
    return filling(shell, slots, item.slot, this.aspect(item));
  }

  /* An untouched photo fills its slot on another case too; anything else (undefined) moves along. */
  refit(item, before, shell) {
    if (item.kind !== "photo" || !sameSpot(item, this.filled(item, before))) return undefined;
    return { ...item, ...this.filled(item, shell) };
  }

  /* A new photo: into an empty slot, else instead of one that is there twice, else as one more on top. */
  addPhoto(photo) {
    const { store } = this;
    const item = { kind: "photo", photo: photo.id, slot: 0 };
    const photos = store.of("photo");
    const count = Math.max(1, this.slots().length);
    const free = [...Array(count).keys()].find((slot) => !photos.some((other) => other.slot === slot));
    if (!photos.length) {
      store.change("", ({ items }) => ({ items: [...this.spread(photo.id, count), ...items] }));
      store.select(store.of("photo")[0].id);
      return true;
    }
    const repeated = count > 1 && photos.find((one, n) => photos.findIndex((other) => other.photo === one.photo) < n);
    if (free === undefined && repeated) {
      this.replace(repeated, photo);
      return true;
    }
    item.slot = free ?? 0;
    const place = free === undefined ? this.onTop(item) : this.filled(item);
    return Boolean(store.add({ ...item, ...place }));
  }

  onTop(item) {
    const { width, height } = this.store.shell;
    return { cx: width / 2, cy: height / 2, width: Math.min(width * 0.6, height * 0.5 * this.aspect(item)) };
  }

  /* One photo in every slot of the template. */
  spread(photo, count) {
    return [...Array(count).keys()].map((slot) => {
      const item = { kind: "photo", photo, slot, rotation: 0, id: this.store.nextId() };
      return limited(this.store.shell, { ...item, ...this.filled(item) });
    });
  }

  replace(item, photo) {
    const next = { ...item, photo: photo.id, crop: null };
    this.store.patch(item.id, { ...next, ...this.filled(next) }, "");
    this.store.select(item.id);
  }

  /* Another template: its background, and photos into its slots; with fewer photos than slots they repeat. */
  useTemplate(template) {
    const { store } = this;
    const slots = this.slots(template);
    const count = Math.max(1, slots.length);
    const background = this.kit.background(template);
    store.change("", ({ items }) => {
      const photos = items.filter(({ kind }) => kind === "photo");
      const rest = items.filter(({ kind }) => kind !== "photo");
      if (!photos.length) return { template, background, background2: null };
      const different = photos.filter((one, n) => photos.findIndex((other) => other.photo === one.photo) === n);
      const placed = [...Array(count).keys()].map((slot) => {
        const from = different[slot % different.length];
        const item = { ...from, id: slot < different.length ? from.id : store.nextId(), slot };
        return limited(store.shell, { ...item, ...this.filled(item, store.shell, slots) });
      });
      const over = count === 1 ? different.slice(1).map((item) => ({ ...item, slot: 0 })) : [];
      return { template, background, background2: null, items: [...placed, ...over, ...rest] };
    });
  }

  fill(item) {
    this.store.patch(item.id, this.filled(item), "");
  }

  whole(item) {
    this.store.patch(item.id, fitting(this.store.shell, this.slots(), item.slot, this.aspect(item)), "");
  }

  turn(item) {
    this.store.patch(item.id, { rotation: item.rotation + 90 }, "");
  }

  addText(text, look) {
    const { width, height } = this.store.shell;
    const lower = this.store.of("text").length * TEXT_SIZE * 1.5;
    return this.store.add({ kind: "text", text, size: TEXT_SIZE, ...look, cx: width / 2, cy: Math.max(height * TEXT_AT - lower, TEXT_SIZE) });
  }

  addSticker(slug) {
    const { width, height } = this.store.shell;
    const step = 5 * (this.store.of("sticker").length % 4);
    return this.store.add({ kind: "sticker", sticker: slug, cx: width / 2 + step, cy: height * 0.55 + step, width: width / 4 });
  }

  /* Another part of the photo. What is seen of it stays where it was and as large as it was. */
  crop(item, crop) {
    const photo = this.pictures.get(item.photo);
    const old = cropOf(item);
    const scale = item.width / (old.w * photo.width_px); // mm per pixel
    const dx = (crop.x + crop.w / 2 - old.x - old.w / 2) * photo.width_px * scale;
    const dy = (crop.y + crop.h / 2 - old.y - old.h / 2) * photo.height_px * scale;
    const angle = (item.rotation * Math.PI) / 180;
    const all = crop.w > 0.995 && crop.h > 0.995;
    this.store.patch(item.id, {
      crop: all ? null : Object.fromEntries(Object.entries(crop).map(([key, value]) => [key, rounded(value)])),
      cx: item.cx + dx * Math.cos(angle) - dy * Math.sin(angle),
      cy: item.cy + dx * Math.sin(angle) + dy * Math.cos(angle),
      width: crop.w * photo.width_px * scale,
    }, "");
  }
}

/* Photos to use again, stickers to put on, small pictures of the filters; and photos that come in: chosen, taken, dropped. */
import * as uploads from "../upload.js";
import { drawSticker } from "./drawing.js";

const STICKER_PX = 88;
const id = (name) => document.getElementById(name);

export class Tray {
  constructor(form, { store, kit, pictures, placing, sync }) {
    Object.assign(this, { form, store, kit, pictures, placing, sync, replacing: null });
    form.elements.photo_file.multiple = true;
    for (const input of form.querySelectorAll("[data-upload]")) {
      input.addEventListener("change", () => this.take([...input.files], input));
    }
    id("tray").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.use(this.pictures.get(button.dataset.photo));
    });
    id("stickers")?.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button && !this.placing.addSticker(button.dataset.sticker)) this.sync.complain(form.dataset.textFull);
    });
    this.drops(document.getElementById("main"));
  }

  /* Files dragged in from elsewhere. */
  drops(area) {
    const files = (event) => event.dataTransfer?.types.includes("Files");
    area.addEventListener("dragover", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      id("stage").toggleAttribute("data-drop", true);
    });
    area.addEventListener("dragleave", (event) => {
      if (!area.contains(event.relatedTarget)) id("stage").removeAttribute("data-drop");
    });
    area.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      id("stage").removeAttribute("data-drop");
      this.take([...event.dataTransfer.files].filter(({ type }) => type.startsWith("image/") || !type));
    });
  }

  async take(files, input) {
    for (const file of files) {
      try {
        const photo = await this.upload(file);
        this.pictures.learn(photo);
        this.form.elements.photo.value = photo.id;
        if (!this.placing.addPhoto(photo)) this.sync.complain(this.form.dataset.textFull);
      } catch (error) {
        this.sync.complain(error.message);
        break;
      }
    }
    if (input) input.value = "";
  }

  upload(file) {
    return uploads.uploadPhoto(this.form, { files: [file], value: "" });
  }

  /* A photo that is there already: instead of the chosen one, or as the next one. */
  use(photo) {
    const item = this.store.item();
    if (item?.kind === "photo" && item.photo !== photo.id) this.placing.replace(item, photo);
    else if (!this.placing.addPhoto(photo)) this.sync.complain(this.form.dataset.textFull);
  }

  render() {
    const tray = id("tray");
    const photos = [...this.pictures.known.values()];
    tray.hidden = photos.length < 2;
    const there = new Set([...tray.children].map(({ dataset }) => dataset.photo));
    photos.forEach((photo, n) => {
      if (there.has(photo.id)) return;
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const image = Object.assign(new Image(), { src: this.pictures.small(photo.id), alt: tray.dataset.textUse.replace("{n}", n + 1) });
      button.dataset.photo = photo.id;
      button.append(image);
      tray.append(button);
    });
    const used = new Set(this.store.of("photo").map(({ photo }) => photo));
    for (const button of tray.children) button.toggleAttribute("data-used", used.has(button.dataset.photo));
    this.renderFilters();
  }

  renderStickers() {
    const shelf = id("stickers");
    if (!shelf || shelf.children.length) return;
    for (const [slug, sticker] of Object.entries(this.kit.stickers ?? {})) {
      const button = Object.assign(document.createElement("button"), { type: "button", title: this.kit.name(slug) });
      const canvas = Object.assign(document.createElement("canvas"), { width: STICKER_PX, height: STICKER_PX });
      const width = STICKER_PX / Math.max(1, sticker.aspect);
      const context = canvas.getContext("2d");
      context.translate((STICKER_PX - width) / 2, (STICKER_PX - width * sticker.aspect) / 2);
      drawSticker(context, sticker, width);
      button.dataset.sticker = slug;
      button.setAttribute("aria-label", this.kit.name(slug));
      button.append(canvas);
      shelf.append(button);
    }
  }

  /* The chosen photo in each filter. */
  renderFilters() {
    const item = this.store.current("photo");
    const picture = item && this.pictures.plain(item.photo);
    const key = picture && `${item.photo} ${Object.keys(this.pictures.presets).length}`;
    if (!key || key === this.filtersOf) return;
    this.filtersOf = key;
    for (const canvas of this.form.querySelectorAll("[data-filter]")) {
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const side = Math.min(picture.width, picture.height);
      context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
      const matrix = this.pictures.presets[canvas.dataset.filter];
      if (!matrix) continue;
      const data = context.getImageData(0, 0, canvas.width, canvas.height);
      this.pictures.filters.apply(data.data, matrix);
      context.putImageData(data, 0, 0);
    }
  }
}

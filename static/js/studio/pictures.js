/* Pixels of photos for the stage: loaded once, reduced, with the colours of an item. Not here: uploads (`uploads`). */

const SIZES_PX = [640, 960, 1280]; // of the longer side, as catalog/views/studio.py has them
const SMALL_PX = 160; // for a tray
const MOST_PX = SIZES_PX[SIZES_PX.length - 1]; // sharper than any phone's stage, and quick to colour
const KEPT = 12;
const PATIENCE_MS = 2000;

export class Pictures extends EventTarget {
  constructor() {
    super();
    this.known = new Map(); // id -> {id, url, width_px, height_px}
    this.images = new Map(); // id -> canvas, or null while it loads
    this.loads = new Map(); // id -> promise of that
    this.coloured = new Map(); // id and matrix -> canvas, oldest first
    this.presets = {};
    this.filters = null; // the module, when it has come (Kit.loadFilters)
  }

  learn(photo) {
    this.known.set(photo.id, photo);
    this.dispatchEvent(new Event("change"));
  }

  get(id) {
    return this.known.get(id) ?? null;
  }

  small(id) {
    return `${this.known.get(id).url}?w=${SMALL_PX}`;
  }

  /* As sharp as the stage of this screen can show it. */
  address(photo) {
    const needed = document.getElementById("stage").clientHeight * devicePixelRatio;
    return `${photo.url}?w=${SIZES_PX.find((size) => size >= needed) ?? MOST_PX}`;
  }

  /* When these items' photos have come, or after a moment. */
  settled(items) {
    const loads = items.map((item) => this.plain(item.photo) || this.loads.get(item.photo));
    return Promise.race([Promise.all(loads), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }

  /* The item's picture, or null while it is on its way; "change" tells when it has come. */
  of(item) {
    const plain = this.plain(item.photo);
    const matrix = plain && this.filters?.matrixOf(item, this.presets);
    return matrix ? this.colour(item.photo, plain, matrix) : plain;
  }

  plain(id) {
    if (!this.images.has(id)) this.loads.set(id, this.load(id));
    return this.images.get(id);
  }

  async load(id) {
    const photo = this.get(id);
    this.images.set(id, null);
    if (!photo) return;
    const image = new Image();
    image.src = this.address(photo);
    try {
      await image.decode();
    } catch {
      this.images.delete(id); // asked for again with the next change
      return;
    }
    const zoom = Math.min(1, MOST_PX / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = this.canvas(Math.round(image.naturalWidth * zoom), Math.round(image.naturalHeight * zoom));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    this.images.set(id, canvas);
    this.dispatchEvent(new Event("change"));
  }

  canvas(width, height) {
    return Object.assign(document.createElement("canvas"), { width: Math.max(1, width), height: Math.max(1, height) });
  }

  colour(id, plain, matrix) {
    const key = `${id} ${matrix.map((value) => value.toFixed(4))}`;
    let found = this.coloured.get(key);
    if (!found) {
      found = this.canvas(plain.width, plain.height);
      const context = found.getContext("2d", { willReadFrequently: true });
      context.drawImage(plain, 0, 0);
      const data = context.getImageData(0, 0, found.width, found.height);
      this.filters.apply(data.data, matrix);
      context.putImageData(data, 0, 0);
      this.coloured.set(key, found);
      if (this.coloured.size > KEPT) this.coloured.delete(this.coloured.keys().next().value);
    }
    return found;
  }
}

/* Cutting a photo: the whole of it in a dialog, and on it a rectangle to move and to pull by its corners and sides. */
import { clamp, cropOf } from "./geometry.js";

const { Konva } = globalThis;
const LEAST = 0.1; // of the photo's sides
const ACCENT = "#d30f67";
const id = (name) => document.getElementById(name);

export class Crop {
  constructor(pictures, onDone) {
    Object.assign(this, { pictures, onDone, item: null });
    this.dialog = id("crop");
    this.dialog.addEventListener("close", () => this.close());
    id("crop-all").addEventListener("click", () => this.set({ x: 0, y: 0, w: 1, h: 1 }));
    this.edges = [...this.dialog.querySelectorAll("[data-edge]")];
    for (const edge of this.edges) edge.addEventListener("input", () => this.takeEdges(edge));
  }

  open(item) {
    const picture = this.pictures.plain(item.photo);
    if (!picture) return;
    this.item = item;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.build(picture);
    this.set(cropOf(item));
  }

  build(picture) {
    const container = id("crop-canvas");
    const zoom = Math.min(container.clientWidth / picture.width, (0.5 * innerHeight) / picture.height);
    const [width, height] = [Math.round(picture.width * zoom), Math.round(picture.height * zoom)];
    this.size = { width, height };
    this.stage = new Konva.Stage({ container, width: width + 24, height: height + 24 });
    const layer = new Konva.Layer({ x: 12, y: 12 });
    this.rect = new Konva.Rect({ width, height, draggable: true, fill: "rgb(0 0 0 / 0.001)" });
    const shade = new Konva.Shape({
      listening: false,
      sceneFunc: ({ _context: context }) => {
        context.fillStyle = "rgb(24 16 43 / 0.62)";
        context.beginPath();
        context.rect(0, 0, width, height);
        context.rect(this.rect.x(), this.rect.y(), this.rect.width() * this.rect.scaleX(), this.rect.height() * this.rect.scaleY());
        context.fill("evenodd");
      },
    });
    const handles = new Konva.Transformer({
      nodes: [this.rect], rotateEnabled: false, keepRatio: false, flipEnabled: false, anchorSize: 18, anchorCornerRadius: 9,
      anchorStroke: ACCENT, anchorStrokeWidth: 2.5, borderStroke: "#ffffff", borderStrokeWidth: 2,
      anchorStyleFunc: (anchor) => anchor.hitStrokeWidth(28),
    });
    layer.add(new Konva.Image({ image: picture, width, height, listening: false }), shade, this.rect, handles);
    this.stage.add(layer);
    this.rect.on("dragmove transform", () => this.set(this.read()));
  }

  read() {
    const { width, height } = this.size;
    return {
      x: this.rect.x() / width, y: this.rect.y() / height,
      w: (this.rect.width() * this.rect.scaleX()) / width, h: (this.rect.height() * this.rect.scaleY()) / height,
    };
  }

  set({ x, y, w, h }) {
    const wide = clamp(w, LEAST, 1);
    const high = clamp(h, LEAST, 1);
    this.crop = { x: clamp(x, 0, 1 - wide), y: clamp(y, 0, 1 - high), w: wide, h: high };
    const { width, height } = this.size;
    this.rect.setAttrs({
      x: this.crop.x * width, y: this.crop.y * height, width: wide * width, height: high * height, scaleX: 1, scaleY: 1,
    });
    const off = { left: this.crop.x, top: this.crop.y, right: 1 - this.crop.x - wide, bottom: 1 - this.crop.y - high };
    for (const edge of this.edges) edge.value = Math.round(100 * off[edge.dataset.edge]);
  }

  /* Per cent cut off each side; opposite sides leave something between them. */
  takeEdges(moved) {
    const off = Object.fromEntries(this.edges.map((edge) => [edge.dataset.edge, Number(edge.value) / 100]));
    const opposite = { left: "right", right: "left", top: "bottom", bottom: "top" }[moved.dataset.edge];
    const name = moved.dataset.edge;
    off[name] = Math.min(off[name], 1 - LEAST - off[opposite]);
    this.set({ x: off.left, y: off.top, w: 1 - off.left - off.right, h: 1 - off.top - off.bottom });
  }

  close() {
    this.stage?.destroy();
    this.stage = null;
    if (this.dialog.returnValue === "done" && this.item) this.onDone(this.item, this.crop);
    this.item = null;
  }
}

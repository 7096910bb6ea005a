/* The scene: the case and everything on it, drawn by Konva from the store, true to the millimetre. Draws; decides nothing. */
import { aspectOf, cropOf, slotBox } from "./geometry.js";
import { drawOverlay, drawSticker, drawText, roundedBox, textBox } from "./drawing.js";
import { drawMarks } from "./marks.js";

let Konva; // comes before the first scene (konva.js)
const MARGIN = { x: 14, y: 9 }; // mm around the case, for handles: as in catalog/views/stage_page.py
const RIM = "#8a7fa0";

export class Scene {
  constructor(container, { store, pictures, kit }) {
    Object.assign(this, { container, store, pictures, kit });
    ({ Konva } = globalThis);
    Konva.dragDistance = 3;
    this.stage = new Konva.Stage({ container, width: 10, height: 10 });
    this.layer = new Konva.Layer();
    this.top = new Konva.Layer();
    this.world = new Konva.Group();
    this.inside = new Konva.Group();
    this.holders = new Map(); // item id -> group that clips its node
    this.guides = [];
    this.doubts = new Map(); // item id -> why it is in doubt (doubts.js)
    this.build();
    this.stage.add(this.layer, this.top);
    new ResizeObserver(() => this.fit()).observe(container);
    this.fit();
  }

  build() {
    const still = (draw) => new Konva.Shape({ listening: false, sceneFunc: (context) => draw(context._context) });
    this.ground = still((context) => this.drawGround(context));
    this.overlay = still((context) => drawOverlay(context, this.kit.overlay(this.store.state.template), this.store.shell));
    this.body = still((context) => this.drawBody(context));
    this.device = still((context) => this.drawDevice(context));
    this.lines = still((context) => drawMarks(context, this));
    this.inside.clipFunc((context) => this.trim(context));
    this.inside.add(this.ground, this.overlay);
    this.world.add(this.body, this.inside, this.device);
    this.layer.add(this.world);
    this.top.add(this.lines);
  }

  /* Pixels per mm, and where the case's top left is. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.container;
    if (!width || !height) return;
    const { shell } = this.store;
    this.stage.size({ width, height });
    this.scale = Math.min(width / (shell.width + 2 * MARGIN.x), height / (shell.height + 2 * MARGIN.y));
    this.origin = { x: (width - shell.width * this.scale) / 2, y: (height - shell.height * this.scale) / 2 };
    this.world.setAttrs({ ...this.origin, scaleX: this.scale, scaleY: this.scale });
    this.lines.setAttrs({ ...this.origin, scaleX: this.scale, scaleY: this.scale });
    this.container.dataset.case = [this.origin.x, this.origin.y, shell.width * this.scale, shell.height * this.scale].map(Math.round).join(" ");
    this.handles?.refresh();
  }

  /* A point of the window in mm. */
  point(clientX, clientY) {
    const box = this.container.getBoundingClientRect();
    return { x: (clientX - box.left - this.origin.x) / this.scale, y: (clientY - box.top - this.origin.y) / this.scale };
  }

  trim(context) {
    const { width, height, radius } = this.store.shell;
    roundedBox(context, 0, 0, width, height, radius);
  }

  render() {
    const { items, template } = this.store.state;
    const slots = this.kit.slots(template);
    const seen = new Set(items.map(({ id }) => id));
    for (const [id, holder] of this.holders) {
      if (seen.has(id)) continue;
      holder.destroy();
      this.holders.delete(id);
    }
    this.ground.moveToTop();
    for (const item of items.filter(({ kind }) => kind === "photo")) this.renderItem(item, slots);
    this.overlay.moveToTop();
    for (const item of items.filter(({ kind }) => kind !== "photo")) this.renderItem(item, slots);
    this.layer.batchDraw();
    this.top.batchDraw();
    this.handles?.refresh();
  }

  renderItem(item, slots) {
    let holder = this.holders.get(item.id);
    if (!holder) {
      holder = new Konva.Group();
      holder.add(this.shape(item.id));
      this.holders.set(item.id, holder);
      this.inside.add(holder);
    }
    holder.moveToTop();
    const [node] = holder.getChildren();
    if (item.kind === "photo") {
      const box = slotBox(this.store.shell, slots, item.slot);
      holder.clipFunc((context) => roundedBox(context, box.x, box.y, box.w, box.h, box.radius));
    }
    this.place(node, item, this.box(item));
  }

  drawPhoto(context, item, w, h) {
    const picture = this.pictures.get(item.photo) && this.pictures.of(item);
    if (!picture) {
      context.fillStyle = "#d9d2c5";
      context.fillRect(0, 0, w, h);
      return;
    }
    const crop = cropOf(item);
    context.imageSmoothingQuality = "high";
    context.drawImage(
      picture, crop.x * picture.width, crop.y * picture.height, crop.w * picture.width, crop.h * picture.height, 0, 0, w, h,
    );
  }

  /* The box of an item about its centre, unturned, in mm. */
  box(item) {
    if (item.kind === "text") return textBox(item);
    if (item.kind === "sticker") return { w: item.width, h: item.width * (this.kit.sticker(item.sticker)?.aspect ?? 1) };
    const known = this.pictures.get(item.photo);
    return { w: item.width, h: known ? item.width / aspectOf(item, known) : item.width };
  }

  place(node, item, { x, y, w, h }) {
    const offset = { x: x === undefined ? w / 2 : -x, y: y === undefined ? h / 2 : -y };
    node.setAttrs({
      x: item.cx, y: item.cy, width: w, height: h, offsetX: offset.x, offsetY: offset.y,
      rotation: item.rotation, scaleX: 1, scaleY: 1,
    });
  }

  shape(id) {
    return new Konva.Shape({
      id,
      sceneFunc: ({ _context: context }, shape) => {
        const item = this.store.item(id);
        if (item?.kind === "text") {
          context.translate(shape.offsetX(), shape.offsetY());
          drawText(context, item);
        } else if (item?.kind === "photo") {
          this.drawPhoto(context, item, shape.width(), shape.height());
        } else if (item) {
          const sticker = this.kit.sticker(item.sticker);
          if (sticker) drawSticker(context, sticker, item.width);
        }
      },
      hitFunc: (context, shape) => {
        context.beginPath();
        context.rect(-1.5, -1.5, shape.width() + 3, shape.height() + 3);
        context.closePath();
        context.fillStrokeShape(shape);
      },
      fill: "#000",
    });
  }

  node(id) {
    return this.holders.get(id)?.getChildren()[0] ?? null;
  }

  drawGround(context) {
    const { background, background2 } = this.store.state;
    const { width, height, bleed } = this.store.shell;
    context.fillStyle = background;
    if (background2) {
      const ramp = context.createLinearGradient(0, -bleed, 0, height + bleed);
      ramp.addColorStop(0, background);
      ramp.addColorStop(1, background2);
      context.fillStyle = ramp;
    }
    context.fillRect(-bleed, -bleed, width + 2 * bleed, height + 2 * bleed);
  }

  drawBody(context) {
    const { width, height, radius } = this.store.shell;
    context.save();
    context.shadowColor = "rgb(33 20 58 / 0.35)";
    context.shadowBlur = 10;
    context.shadowOffsetY = 4;
    context.fillStyle = "#fff";
    context.beginPath();
    roundedBox(context, 0, 0, width, height, radius);
    context.fill();
    context.restore();
  }

  /* The phone that shows through the holes, and the rim of the case. */
  drawDevice(context) {
    const { width, height, radius, cutouts } = this.store.shell;
    for (const hole of cutouts) {
      context.beginPath();
      roundedBox(context, hole.x, hole.y, hole.w, hole.h, hole.radius);
      context.fillStyle = "#2b2536";
      context.fill();
      context.lineWidth = 0.6;
      context.strokeStyle = RIM;
      context.stroke();
    }
    context.beginPath();
    roundedBox(context, 0, 0, width, height, radius);
    context.lineWidth = 0.5;
    context.strokeStyle = RIM;
    context.stroke();
  }

  guide(guides) {
    this.guides = guides;
    this.top.batchDraw();
  }
}

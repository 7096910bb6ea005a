/* Handles around the selected item: corners that scale, a knob that turns. Konva's Transformer, sized for fingers. */
import { turned } from "./geometry.js";

const RIGHT_ANGLES = [0, 45, 90, 135, 180, 225, 270, 315];
const SMALL_PX = 110; // smaller items would hide behind four corners
const KNOB_PX = 26;
const ACCENT = "#d30f67";

export class Handles {
  constructor(scene) {
    this.scene = scene;
    this.store = scene.store;
    this.transformer = new globalThis.Konva.Transformer({
      keepRatio: true,
      enabledAnchors: [],
      rotationSnaps: RIGHT_ANGLES,
      rotationSnapTolerance: 4,
      rotateAnchorOffset: KNOB_PX,
      rotateLineVisible: true,
      flipEnabled: false,
      padding: 3,
      anchorSize: 16,
      anchorCornerRadius: 8,
      anchorStroke: ACCENT,
      anchorStrokeWidth: 2.5,
      anchorFill: "#fffdf9",
      borderStroke: ACCENT,
      borderStrokeWidth: 2,
      borderDash: [5, 4],
      anchorStyleFunc: (anchor) => anchor.hitStrokeWidth(30), // 46 pixels for a finger
      boundBoxFunc: (before, now) => (Math.abs(now.width) < 12 ? before : now),
    });
    scene.top.add(this.transformer);
    scene.handles = this;
    this.transformer.on("transformstart", () => this.store.close());
    this.transformer.on("transform", () => this.take());
    this.transformer.on("transformend", () => {
      this.scene.guide([]);
      this.store.close();
    });
    this.store.addEventListener("select", () => this.refresh());
  }

  /* Lets go of what a handle holds. */
  release() {
    if (this.transformer.isTransforming()) this.transformer.stopTransform();
  }

  /* What the handles did to the node, written into the item. */
  take() {
    const item = this.store.item();
    const node = item && this.scene.node(item.id);
    if (!node) return;
    const key = item.kind === "text" ? "size" : "width";
    const rotation = turned(node.rotation());
    const values = { cx: node.x(), cy: node.y(), [key]: item[key] * node.scaleX(), rotation };
    this.scene.guides = rotation % 45 === 0 && rotation !== item.rotation ? [{ x: node.x() }, { y: node.y() }] : [];
    this.store.patch(item.id, values, `handles ${item.id}`);
  }

  refresh() {
    const node = this.store.selected && this.scene.node(this.store.selected);
    const wanted = node ? [node] : [];
    const now = this.transformer.nodes();
    if (now.length !== wanted.length || now[0] !== wanted[0]) this.transformer.nodes(wanted);
    if (node) {
      const small = Math.max(node.width(), node.height()) * this.scene.scale < SMALL_PX;
      this.transformer.enabledAnchors(small ? ["bottom-right"] : ["top-left", "top-right", "bottom-left", "bottom-right"]);
      this.turnKnob(node);
      this.transformer.forceUpdate();
    }
    this.scene.top.batchDraw();
  }

  /* The knob that turns goes inside of what reaches out of the stage at the top; under it, where it is small. */
  turnKnob(node) {
    const top = node.getAbsoluteTransform().point({ x: node.width() / 2, y: 0 });
    const angle = ((node.rotation() - 90) * Math.PI) / 180;
    const [x, y] = [top.x + KNOB_PX * Math.cos(angle), top.y + KNOB_PX * Math.sin(angle)];
    const { width, height } = this.scene.stage.size();
    const inside = x > 8 && y > 8 && x < width - 8 && y < height - 8;
    const tall = node.height() * this.scene.scale;
    this.transformer.rotateAnchorOffset(inside ? KNOB_PX : -(tall > SMALL_PX ? KNOB_PX : tall + KNOB_PX));
  }

  /* Whether this shape is one of the handles (their frame is not). */
  holds(shape) {
    return Boolean(shape) && shape.getParent() === this.transformer && shape.name() !== "back";
  }
}

/* Fingers on the stage: tap chooses, drag moves, two fingers zoom and turn, a double tap opens. Millimetres from the scene.
   Handles are Konva's own (`handles`). */
import { around, slotBox, snapped, turned } from "./geometry.js";

const STILL_PX = 4;
const SNAP_PX = 7;
const DOUBLE_MS = 350;

export class Hands {
  constructor(scene, { onOpen }) {
    this.scene = scene;
    this.store = scene.store;
    this.onOpen = onOpen;
    this.fingers = new Map();
    this.first = null; // a finger on a handle, which is the handle's until a second one comes
    this.lastTap = { id: null, at: 0 };
    const { container } = scene;
    container.addEventListener("pointerdown", (event) => this.down(event));
    container.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) container.addEventListener(name, (event) => this.up(event));
    container.addEventListener("touchstart", (event) => this.fingers.size > 1 && event.stopPropagation(), { capture: true, passive: true }); // a pinch is no handle's
    container.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    container.addEventListener("dragstart", (event) => event.preventDefault());
  }

  /* The item under a finger; the selected one counts as being on top, so that what is chosen can be held. */
  under(event) {
    const { stage } = this.scene;
    stage.setPointersPositions(event);
    const spot = stage.getPointerPosition();
    const shape = stage.getIntersection(spot);
    if (this.scene.handles.holds(shape)) return "handle";
    const hit = shape && this.store.item(shape.id());
    return hit?.id ?? null;
  }

  within(id, point) {
    const item = this.store.item(id);
    if (!item) return false;
    const angle = (-item.rotation * Math.PI) / 180;
    const [dx, dy] = [point.x - item.cx, point.y - item.cy];
    const { x, y, w, h } = this.scene.box(item);
    const [left, top] = [x ?? -w / 2, y ?? -h / 2];
    const [across, down] = [dx * Math.cos(angle) - dy * Math.sin(angle), dx * Math.sin(angle) + dy * Math.cos(angle)];
    return across >= left && across <= left + w && down >= top && down <= top + h;
  }

  down(event) {
    if (this.fingers.size === 2 || event.button > 0) return;
    if (this.first) this.takeOver();
    const found = this.under(event);
    if (!this.fingers.size) {
      if (found === "handle") {
        if (event.pointerType !== "mouse") this.first = event; // there is no second mouse
        return;
      }
      this.tapped = found;
      const point = this.scene.point(event.clientX, event.clientY);
      const held = this.within(this.store.selected, point);
      if (!held) this.store.select(found);
    }
    this.scene.container.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.grip();
  }

  /* Two fingers are a pinch wherever they land: small things are all handles. */
  takeOver() {
    this.scene.handles.release();
    this.tapped = this.store.selected;
    this.fingers.set(this.first.pointerId, { x: this.first.clientX, y: this.first.clientY });
    this.first = null;
  }

  move(event) {
    if (this.first?.pointerId === event.pointerId) this.first = event;
    if (!this.fingers.has(event.pointerId)) return;
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.follow();
  }

  /* Centre, distance and angle of the fingers just now. */
  hand() {
    const [a, b = a] = [...this.fingers.values()];
    return {
      x: (a.x + b.x) / 2,
      y: (a.y + b.y) / 2,
      distance: Math.hypot(b.x - a.x, b.y - a.y),
      angle: (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI,
    };
  }

  grip() {
    this.from = { hand: this.hand(), item: this.store.item() };
    if (this.fingers.size === 1) this.busy = false;
    this.store.close();
  }

  follow() {
    const { hand: before, item } = this.from;
    if (!item) return;
    const now = this.hand();
    if (!this.busy && this.fingers.size === 1 && Math.hypot(now.x - before.x, now.y - before.y) < STILL_PX) return;
    this.busy = true;
    const { scale } = this.scene;
    const next = { ...item, cx: item.cx + (now.x - before.x) / scale, cy: item.cy + (now.y - before.y) / scale };
    if (before.distance > 0) {
      const key = item.kind === "text" ? "size" : "width";
      next[key] = item[key] * (now.distance / before.distance);
      next.rotation = turned(item.rotation + now.angle - before.angle, true);
    }
    this.put(next);
  }

  put(item) {
    const { shell } = this.store;
    const slot = item.kind === "photo" ? slotBox(shell, this.scene.kit.slots(this.store.state.template), item.slot) : null;
    const { w, h } = this.scene.box(item);
    const place = snapped(item, around(item, w, h), shell, slot, SNAP_PX / this.scene.scale);
    if (place.guides.length > this.scene.guides.length) navigator.vibrate?.(8); // it snapped: felt, not only seen
    this.scene.guides = place.guides;
    this.store.patch(item.id, { ...item, cx: place.cx, cy: place.cy }, "hands");
  }

  up(event) {
    if (this.first?.pointerId === event.pointerId) this.first = null;
    if (!this.fingers.delete(event.pointerId)) return;
    this.scene.guide([]);
    if (this.fingers.size) this.grip();
    else {
      this.store.close();
      if (!this.busy && event.type === "pointerup") this.tap();
    }
  }

  tap() {
    const now = Date.now();
    const again = this.lastTap.id === this.tapped && now - this.lastTap.at < DOUBLE_MS;
    this.lastTap = { id: this.tapped, at: again ? 0 : now };
    this.store.select(this.tapped);
    if (again && this.tapped) this.onOpen(this.tapped);
  }

  /* Pinching on a touchpad arrives as wheel with Ctrl; plain scrolling stays the page's. */
  wheel(event) {
    const item = this.store.item();
    if (!event.ctrlKey || !item) return;
    event.preventDefault();
    const key = item.kind === "text" ? "size" : "width";
    this.store.patch(item.id, { [key]: item[key] * Math.exp(-event.deltaY / 200) }, `wheel ${item.id}`);
  }
}

/* The stage: the case as the server drew it, and a photo that fingers move over it.
   Works in millimetres from the top left of the trim rectangle; pixels exist only while drawing.
   Knows nothing of forms and of the server: `onMove(place)` while the fingers move, `onDone(place)` when they leave. */

const SNAP_DEGREES = 4;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/* Degrees in (-180, 180], pulled onto a right angle when close to one. */
export function turned(degrees) {
  let result = ((((degrees + 180) % 360) + 360) % 360) - 180;
  const right = Math.round(result / 90) * 90;
  if (Math.abs(result - right) < SNAP_DEGREES) result = right;
  return result === -180 ? 180 : result;
}

export class Stage {
  constructor(element, { onMove, onDone }) {
    this.element = element;
    this.slotElement = element.querySelector(".stage-slot");
    this.image = this.slotElement.querySelector("img");
    this.preview = element.querySelector(".stage-case");
    this.onMove = onMove;
    this.onDone = onDone;
    this.shell = null; // {width, height, bleed, radius}
    this.slots = []; // fractions {x, y, w, h, radius}; none: one slot, the whole print area. The fingers move slot 0.
    this.aspect = 0; // width / height of the photo, 0 = none
    this.place = null; // {cx, cy, width, rotation}
    this.fingers = new Map();
    this.listen();
  }

  setShell(shell) {
    this.shell = shell;
    this.draw();
  }

  setSlots(slots) {
    this.slots = slots;
    this.draw();
  }

  setPhoto(url, width, height) {
    this.aspect = width / height;
    this.image.src = url;
    this.image.hidden = false;
    this.element.toggleAttribute("data-live", true);
  }

  setPlace(place) {
    this.place = this.limit(place);
    this.draw();
  }

  /* Where the photo just fills a slot. Rounded up: a hair too narrow would show a line of background. */
  filling(slot = 0) {
    const { x, y, w, h } = this.box(slot);
    const bleed = this.slots.length ? 0 : this.shell.bleed;
    const width = Math.max(w + 2 * bleed, (h + 2 * bleed) * this.aspect);
    return { cx: x + w / 2, cy: y + h / 2, width: Math.ceil(width * 1000) / 1000, rotation: 0 };
  }

  box(slot = 0) {
    const { width, height } = this.shell;
    const { x, y, w, h } = this.slots[slot] ?? { x: 0, y: 0, w: 1, h: 1 };
    return { x: x * width, y: y * height, w: w * width, h: h * height };
  }

  /* The centre stays on the case, and the size where a slider can still be aimed; all within what the server accepts. */
  limits() {
    const { width, height } = this.shell;
    const { width: full } = this.filling();
    const most = Math.min(1000, 6 * Math.max(width, height));
    return { width: [Math.max(5, 0.2 * full), Math.min(most, Math.max(3 * full, width))], cx: [0, width], cy: [0, height] };
  }

  limit(place) {
    const { width, cx, cy } = this.limits();
    return {
      cx: clamp(place.cx, ...cx),
      cy: clamp(place.cy, ...cy),
      width: clamp(place.width, ...width),
      rotation: turned(place.rotation),
    };
  }

  scale() {
    return this.preview.clientWidth / this.shell.width;
  }

  draw() {
    if (!this.shell || !this.place) return;
    const scale = this.scale();
    const box = this.box();
    const { style } = this.slotElement;
    style.left = `${box.x * scale}px`;
    style.top = `${box.y * scale}px`;
    style.width = `${box.w * scale}px`;
    style.height = `${box.h * scale}px`;
    const radius = this.slots.length ? (this.slots[0].radius ?? 0) * this.shell.width : this.shell.radius;
    style.borderRadius = `${radius * scale}px`;
    const { cx, cy, width, rotation } = this.place;
    this.image.style.width = `${width * scale}px`;
    this.image.style.transform =
      `translate(${(cx - box.x) * scale}px, ${(cy - box.y) * scale}px) rotate(${rotation}deg) translate(-50%, -50%)`;
  }

  /* From now on the photo itself is shown, until settle(). */
  moving() {
    this.element.toggleAttribute("data-moving", true);
  }

  /* The server's picture is up to date again. While fingers are down, the photo stays on top. */
  settle() {
    if (!this.fingers.size) this.element.removeAttribute("data-moving");
  }

  listen() {
    const { element } = this;
    element.addEventListener("pointerdown", (event) => {
      if (!this.shell || !this.place || this.fingers.size === 2) return;
      element.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.grip();
    });
    element.addEventListener("pointermove", (event) => {
      if (!this.fingers.has(event.pointerId)) return;
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.follow();
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, (event) => this.release(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("dragstart", (event) => event.preventDefault());
    addEventListener("resize", () => this.draw());
    this.preview.addEventListener("load", () => this.draw());
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
    this.from = { hand: this.hand(), place: this.place };
    this.moved = false;
  }

  follow() {
    const { hand: before, place } = this.from;
    const now = this.hand();
    const scale = this.scale();
    const next = { ...place, cx: place.cx + (now.x - before.x) / scale, cy: place.cy + (now.y - before.y) / scale };
    if (before.distance > 0) {
      next.width = place.width * (now.distance / before.distance);
      next.rotation = place.rotation + now.angle - before.angle;
    }
    this.moved = true;
    this.moving();
    this.setPlace(next);
    this.onMove(this.place);
  }

  release(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    const { moved } = this;
    if (this.fingers.size) this.grip();
    if (moved) this.onDone(this.place);
  }

  /* Pinching on a touchpad arrives as wheel with Ctrl; plain scrolling stays the page's. */
  wheel(event) {
    if (!event.ctrlKey || !this.shell || !this.place) return;
    event.preventDefault();
    this.moving();
    this.setPlace({ ...this.place, width: this.place.width * Math.exp(-event.deltaY / 200) });
    this.onDone(this.place);
  }
}

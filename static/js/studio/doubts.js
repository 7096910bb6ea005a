/* What somebody should know of a piece before buying: words under the camera or too near to the edge, a sticker that hides
   there, a photo too small for its place. For words and photos the rules of catalog/services/doubts.py; nothing is refused. */
import { inkBox, letters, OUTLINE } from "./drawing.js";
import { dpiOf, LOW_DPI } from "./geometry.js";

const STEPS = 6; // the ink of a letter is looked at in so many steps across and down

/* Whether a point lies in a hole, its round corners regarded. */
function covers({ x, y, w, h, radius }, point) {
  const r = Math.min(radius, w / 2, h / 2);
  const across = Math.max(Math.abs(point.x - x - w / 2) - w / 2 + r, 0);
  const down = Math.max(Math.abs(point.y - y - h / 2) - h / 2 + r, 0);
  return Math.hypot(across, down) <= r;
}

/* A point about the centre of an item, on the case. */
function placed(item, x, y) {
  const angle = (item.rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { x: item.cx + cos * x - sin * y, y: item.cy + sin * x + cos * y };
}

function* ink(item) {
  const rim = item.outline ? OUTLINE * item.size : 0;
  for (const { letter, x, y, angle } of letters(item)) {
    const box = inkBox(letter, item.font);
    if (!box) continue;
    const [left, top, right, bottom] = [box[0] * item.size - rim, box[1] * item.size - rim, box[2] * item.size + rim, box[3] * item.size + rim];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    for (let across = 0; across <= STEPS; across += 1) {
      for (let down = 0; down <= STEPS; down += 1) {
        const [dx, dy] = [left + ((right - left) * across) / STEPS, top + ((bottom - top) * down) / STEPS];
        yield placed(item, x + cos * dx - sin * dy, y + sin * dx + cos * dy);
      }
    }
  }
}

function aboutWords(item, { cutouts, safe, width, height }) {
  const points = [...ink(item)];
  if (points.some((point) => cutouts.some((hole) => covers(hole, point)))) return "camera";
  return points.some(({ x, y }) => x < safe || y < safe || x > width - safe || y > height - safe) ? "edge" : "";
}

/* "camera", "edge", "blurred" or "". `photo`: what is known of the item's photo. */
export function doubtOf(item, shell, photo) {
  if (item.kind === "photo") return photo && dpiOf(item, photo) < LOW_DPI ? "blurred" : "";
  if (item.kind === "text") return aboutWords(item, shell);
  return shell.cutouts.some((hole) => covers(hole, { x: item.cx, y: item.cy })) ? "camera" : "";
}

/* Item id -> its doubt, for those that have one. */
export function doubtsOf(store, pictures) {
  const found = store.items.map((item) => [item.id, doubtOf(item, store.shell, pictures.get(item.photo))]);
  return new Map(found.filter(([, doubt]) => doubt));
}

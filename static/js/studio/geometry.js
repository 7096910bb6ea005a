/* Millimetres of a case: where a slot lies, how large a photo fills it, what the server accepts. Pure; no page, no pixels.
   The same rules as catalog/services/geometry.py and layouts.py: the origin is the top left of the trim rectangle. */

export const LOW_DPI = 150;
const MM_PER_INCH = 25.4;
const SNAP_DEGREES = 4;
const WHOLE = { x: 0, y: 0, w: 1, h: 1, radius: 0 };

/* What the page shows before a phone is chosen: nothing of it is ever saved. */
export const SOME_SHELL = { id: "", width: 73, height: 149, bleed: 2, radius: 11, cutouts: [], safe: 3 };

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const rounded = (value) => Math.round(value * 1000) / 1000;

/* Degrees in (-180, 180]; with `snap` pulled onto a multiple of 45 when close to one. */
export function turned(degrees, snap = false) {
  let result = ((((degrees + 180) % 360) + 360) % 360) - 180;
  const right = Math.round(result / 45) * 45;
  if (snap && Math.abs(result - right) < SNAP_DEGREES) result = right;
  return result === -180 ? 180 : result;
}

/* The case of a radio button of step 1 (templates/catalog/_phone.html). */
export function shellOf(radio) {
  const { width, height, bleed, radius, cutouts, safe } = radio.dataset;
  const holes = JSON.parse(cutouts || "[]").map((hole) => ({ ...hole, radius: Number(hole.radius ?? hole.r ?? 0) }));
  return {
    id: radio.value, width: Number(width), height: Number(height), bleed: Number(bleed), radius: Number(radius),
    cutouts: holes, safe: Number(safe || 3),
  };
}

/* A slot in mm. A side on the edge of the trim is drawn out over the bleed. No slots: the whole print area. */
export function slotBox(shell, slots, slot = 0) {
  const { x, y, w, h, radius = 0 } = slots[slot] ?? WHOLE;
  const left = x <= 0 ? -shell.bleed : x * shell.width;
  const top = y <= 0 ? -shell.bleed : y * shell.height;
  const right = x + w >= 1 ? shell.width + shell.bleed : (x + w) * shell.width;
  const bottom = y + h >= 1 ? shell.height + shell.bleed : (y + h) * shell.height;
  return { x: left, y: top, w: right - left, h: bottom - top, radius: radius * shell.width };
}

/* Where a photo just fills its slot. Rounded up: a hair too narrow would show a line of background. */
export function filling(shell, slots, slot, aspect, rotation = 0) {
  const { x, y, w, h } = slotBox(shell, slots, slot);
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const width = Math.max(w * cos + h * sin, (w * sin + h * cos) * aspect, 5);
  return { cx: rounded(x + w / 2), cy: rounded(y + h / 2), width: Math.min(Math.ceil(width * 1000) / 1000, 1000), rotation };
}

/* Where a photo shows whole in its slot. */
export function fitting(shell, slots, slot, aspect) {
  const { x, y, w, h } = slotBox(shell, slots, slot);
  return { cx: rounded(x + w / 2), cy: rounded(y + h / 2), width: rounded(Math.max(5, Math.min(w, h * aspect))), rotation: 0 };
}

/* Sizes that a slider can still be aimed at, within what the server takes; the centre stays on the case. */
export function limits(shell, item) {
  const most = Math.min(1000, 6 * Math.max(shell.width, shell.height));
  const size = { photo: ["width", 5, Math.min(most, 4 * shell.width)], text: ["size", 2, 40], sticker: ["width", 5, 2 * shell.width] };
  const [key, low, high] = size[item.kind];
  return { key, size: [low, high], cx: [0, shell.width], cy: [0, shell.height] };
}

/* The item within those limits, numbers as the server keeps them. */
export function limited(shell, item) {
  const { key, size, cx, cy } = limits(shell, item);
  const most = item.kind === "photo" ? Math.min(1000, 6 * Math.max(shell.width, shell.height)) : size[1];
  return {
    ...item,
    cx: rounded(clamp(item.cx, ...cx)),
    cy: rounded(clamp(item.cy, ...cy)),
    [key]: rounded(clamp(item[key], size[0], most)),
    rotation: rounded(turned(item.rotation)),
  };
}

/* An item of one case on another: at the same place of it, as large beside it. */
export function moved(item, from, to) {
  const zoom = to.width / from.width;
  const key = item.kind === "text" ? "size" : "width";
  return { ...item, cx: item.cx * zoom, cy: (item.cy * to.height) / from.height, [key]: item[key] * zoom };
}

export const cropOf = (item) => item.crop ?? { x: 0, y: 0, w: 1, h: 1 };

/* Width / height of what is left of a photo after its crop. */
export function aspectOf(item, photo) {
  const { w, h } = cropOf(item);
  return (photo.width_px * w) / (photo.height_px * h);
}

/* Pixels of the photo per inch of print. */
export const dpiOf = (item, photo) => ((photo.width_px * cropOf(item).w) / item.width) * MM_PER_INCH;

/* The upright box around something w x h that is turned about its centre. */
export function around(item, w, h) {
  const angle = (item.rotation * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  return { w: w * cos + h * sin, h: w * sin + h * cos };
}

/* The centre pulled onto a line of the case when it, or an edge of the item's upright box, comes within `reach` mm.
   Lines: the case's edges, middle and safe area, and the item's slot. -> {cx, cy, guides: [{x} | {y}]} */
export function snapped(place, box, shell, slot, reach) {
  const lines = (from, to, extra) => [from, (from + to) / 2, to, ...extra];
  const inset = shell.safe;
  const axes = [
    ["cx", "x", box.w, [...lines(0, shell.width, [inset, shell.width - inset]), ...(slot ? lines(slot.x, slot.x + slot.w, []) : [])]],
    ["cy", "y", box.h, [...lines(0, shell.height, [inset, shell.height - inset]), ...(slot ? lines(slot.y, slot.y + slot.h, []) : [])]],
  ];
  const result = { cx: place.cx, cy: place.cy, guides: [] };
  for (const [key, axis, extent, found] of axes) {
    let best = reach;
    for (const line of found) {
      for (const shift of [0, -extent / 2, extent / 2]) {
        const away = Math.abs(place[key] + shift - line);
        if (away >= best) continue;
        best = away;
        result[key] = line - shift;
        result[axis] = line;
      }
    }
    if (best < reach) result.guides.push({ [axis]: result[axis] });
  }
  return result;
}

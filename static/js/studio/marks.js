/* What the stage shows over the case and nobody prints: the safe area while something is held, a frame around what is in doubt,
   the lines that something snapped to. Draws on the canvas of the scene's upper layer, in millimetres. */
import { roundedBox } from "./drawing.js";
import { slotBox } from "./geometry.js";

const FAR = 20; // mm: guides run on beyond the case
const GUIDE = "#d30f67";
const DARK = "#21143a";
const AMBER = "#ffcf24"; // in a dark rim it is seen on every photo

function drawSafeArea(context, { width, height, radius, safe }, thin) {
  context.setLineDash([4 * thin, 4 * thin]);
  context.lineWidth = thin;
  for (const [color, shift] of [[`${DARK}99`, 0], ["#ffffffcc", 4 * thin]]) {
    context.strokeStyle = color;
    context.lineDashOffset = shift;
    context.beginPath();
    roundedBox(context, safe, safe, width - 2 * safe, height - 2 * safe, Math.max(0, radius - safe));
    context.stroke();
  }
  context.setLineDash([]);
}

/* The part of the case that a photo can be seen on: its slot, a little inside of the edge. */
function seen(item, { store, kit }) {
  const { width, height } = store.shell;
  const box = slotBox(store.shell, kit.slots(store.state.template), item.slot);
  const [left, top] = [Math.max(box.x, 1), Math.max(box.y, 1)];
  return { x: left, y: top, w: Math.min(box.x + box.w, width - 1) - left, h: Math.min(box.y + box.h, height - 1) - top, radius: store.shell.radius };
}

/* A frame, and a mark at its lower left corner. */
function drawDoubt(context, item, scene, thin) {
  const { w, h, x, y, radius = 0 } = item.kind === "photo" ? seen(item, scene) : scene.box(item);
  const [left, top] = [x ?? -w / 2, y ?? -h / 2];
  context.save();
  if (item.kind !== "photo") {
    context.translate(item.cx, item.cy);
    context.rotate((item.rotation * Math.PI) / 180);
  }
  context.beginPath();
  roundedBox(context, left, top, w, h, radius);
  for (const [color, wide] of [[DARK, 5], [AMBER, 2.5]]) {
    context.strokeStyle = color;
    context.lineWidth = wide * thin;
    context.stroke();
  }
  const [markX, markY] = [left + radius * 0.3, top + h - radius * 0.3];
  context.beginPath();
  context.arc(markX, markY, 9 * thin, 0, 2 * Math.PI);
  context.fillStyle = AMBER;
  context.fill();
  context.strokeStyle = DARK;
  context.lineWidth = 1.5 * thin;
  context.stroke();
  context.fillStyle = DARK;
  context.fillRect(markX - thin, markY - 5 * thin, 2 * thin, 6 * thin);
  context.fillRect(markX - thin, markY + 2.5 * thin, 2 * thin, 2 * thin);
  context.restore();
}

export function drawMarks(context, scene) {
  const { store } = scene;
  const thin = 1 / scene.scale; // a pixel
  if (store.selected) drawSafeArea(context, store.shell, thin);
  for (const item of store.items) if (scene.doubts.has(item.id)) drawDoubt(context, item, scene, thin);
  context.strokeStyle = GUIDE;
  context.lineWidth = 1.5 * thin;
  for (const { x, y } of scene.guides) {
    context.beginPath();
    context.moveTo(x ?? -FAR, y ?? -FAR);
    context.lineTo(x ?? store.shell.width + FAR, y ?? store.shell.height + FAR);
    context.stroke();
  }
}

/* How letters, stickers and the shapes of a template are drawn on a canvas, in millimetres: as the server does it
   (catalog/services/rendering.py, fonts.py). Pure but for the canvas that it draws on. */

const BASELINE = 0.36; // of the em, below the centre of a line
const EM = 1000; // letters are measured this large, where an advance width is exact
export const OUTLINE = 1 / 12; // of the em, on each side of a letter
const DRAWN = 100; // and drawn this large, then scaled: small sizes are rounded by some browsers

export const FAMILIES = { latin: "Pimpshop Handwriting", chinese: "Pimpshop Plain" };
const measuring = document.createElement("canvas").getContext("2d");
const widths = new Map();
const boxes = new Map();

const face = (font, size) => `${size}px ${font === "chinese" ? [`"${FAMILIES.chinese}"`, `"${FAMILIES.latin}"`] : [`"${FAMILIES.latin}"`, `"${FAMILIES.chinese}"`]}, sans-serif`;

/* Widths that were measured before the fonts had come are wrong. */
export const forgetWidths = () => [widths, boxes].forEach((known) => known.clear());

function advance(letter, font) {
  const key = font + letter;
  if (!widths.has(key)) {
    measuring.font = face(font, EM);
    widths.set(key, measuring.measureText(letter).width / EM);
  }
  return widths.get(key);
}

/* Where the ink of a letter is, in ems about the middle of its baseline: [left, top, right, bottom]; null for a space. */
export function inkBox(letter, font) {
  const key = font + letter;
  if (!boxes.has(key)) {
    measuring.font = face(font, EM);
    measuring.textAlign = "center";
    const found = measuring.measureText(letter);
    const { actualBoundingBoxLeft: left, actualBoundingBoxAscent: top, actualBoundingBoxRight: right, actualBoundingBoxDescent: bottom } = found;
    boxes.set(key, left + right > 0 ? [-left / EM, -top / EM, right / EM, bottom / EM] : null);
  }
  return boxes.get(key);
}

/* Width of a line in ems. */
export const lineWidth = (text, font) => [...text].reduce((sum, letter) => sum + advance(letter, font), 0);

/* The letters of a text item with their places about its centre: baseline point of the middle of each letter, and its turn. */
export function letters({ text, font, size, curve = 0 }) {
  const total = lineWidth(text, font) * size;
  const base = BASELINE * size;
  let along = -total / 2;
  return [...text].map((letter) => {
    const width = advance(letter, font) * size;
    const middle = along + width / 2;
    along += width;
    if (!curve || !total) return { letter, x: middle, y: base, angle: 0 };
    const radius = total / ((curve * Math.PI) / 180); // negative: the circle lies above the line
    const angle = middle / radius;
    return { letter, x: radius * Math.sin(angle), y: base + radius * (1 - Math.cos(angle)), angle };
  });
}

/* The box of a text about its centre, a little larger than its letters. */
export function textBox(item) {
  const { size } = item;
  const spots = letters(item);
  if (!spots.length) return { x: 0, y: 0, w: size, h: size };
  const half = size * 0.55;
  const xs = spots.flatMap(({ x }) => [x - half, x + half]);
  const ys = spots.flatMap(({ y }) => [y - size * 0.95, y + size * 0.35]);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

/* A line of text about (0, 0). */
export function drawText(context, item) {
  const { font, size, color, outline } = item;
  context.font = face(font, DRAWN);
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fontKerning = "none";
  context.lineJoin = "round";
  const spots = letters(item);
  const each = (draw) => {
    for (const { letter, x, y, angle } of spots) {
      context.save();
      context.translate(x, y);
      context.rotate(angle);
      context.scale(size / DRAWN, size / DRAWN);
      draw(letter);
      context.restore();
    }
  };
  if (outline) {
    context.strokeStyle = outline;
    context.lineWidth = 2 * DRAWN * OUTLINE; // half of it lies under the letter
    each((letter) => context.strokeText(letter, 0, 0));
  }
  context.fillStyle = color;
  each((letter) => context.fillText(letter, 0, 0));
}

/* A sticker (static/studio/stickers.json) in the box (0, 0) to (width, width * aspect). */
export function drawSticker(context, { layers }, width) {
  for (const { color, points } of layers) {
    context.beginPath();
    points.forEach(([x, y], n) => (n ? context.lineTo(x * width, y * width) : context.moveTo(x * width, y * width)));
    context.closePath();
    context.fillStyle = color;
    context.fill();
  }
}

export function roundedBox(context, x, y, w, h, radius) {
  const r = Math.max(0, Math.min(radius, w / 2, h / 2));
  context.moveTo(x + r, y);
  context.arcTo(x + w, y, x + w, y + h, r);
  context.arcTo(x + w, y + h, x, y + h, r);
  context.arcTo(x, y + h, x, y, r);
  context.arcTo(x, y, x + w, y, r);
  context.closePath();
}

/* A side on the edge of the trim is drawn out over the bleed. */
function placed({ x, y, w, h }, { width, height, bleed }) {
  const left = x <= 0 ? -bleed : x * width;
  const top = y <= 0 ? -bleed : y * height;
  return {
    x: left, y: top,
    w: (x + w >= 1 ? width + bleed : (x + w) * width) - left,
    h: (y + h >= 1 ? height + bleed : (y + h) * height) - top,
  };
}

const rgba = (color, opacity) => color + Math.round(opacity * 255).toString(16).padStart(2, "0");

const SHAPES = {
  rect(context, shape, shell) {
    const { x, y, w, h } = placed(shape, shell);
    const { color, opacity = 1, color2 = color, opacity2 = opacity } = shape;
    const ramp = shape.direction === "right" ? context.createLinearGradient(x, 0, x + w, 0) : context.createLinearGradient(0, y, 0, y + h);
    ramp.addColorStop(0, rgba(color, opacity));
    ramp.addColorStop(1, rgba(color2, opacity2));
    context.fillStyle = ramp;
    context.beginPath();
    roundedBox(context, x, y, w, h, (shape.radius ?? 0) * shell.width);
    context.fill();
  },
  frame(context, shape, shell) {
    const box = placed(shape, shell);
    const thickness = shape.thickness * shell.width;
    const radius = (shape.radius ?? 0) * shell.width;
    const bled = shape.x <= 0 || shape.y <= 0 || shape.x + shape.w >= 1 || shape.y + shape.h >= 1;
    context.fillStyle = rgba(shape.color, shape.opacity ?? 1);
    context.beginPath();
    roundedBox(context, box.x, box.y, box.w, box.h, radius && !bled ? radius + thickness : 0);
    const [w, h] = [shape.w * shell.width - 2 * thickness, shape.h * shell.height - 2 * thickness];
    if (w > 0 && h > 0) roundedBox(context, shape.x * shell.width + thickness, shape.y * shell.height + thickness, w, h, radius);
    context.fill("evenodd");
  },
  line(context, shape, { width, height }) {
    context.strokeStyle = rgba(shape.color, shape.opacity ?? 1);
    context.lineWidth = shape.thickness * width;
    context.lineCap = "butt";
    context.beginPath();
    context.moveTo(shape.x1 * width, shape.y1 * height);
    context.lineTo(shape.x2 * width, shape.y2 * height);
    context.stroke();
  },
  ellipse(context, shape, { width, height }) {
    const [w, h] = [(shape.w * width) / 2, (shape.h * height) / 2];
    context.fillStyle = rgba(shape.color, shape.opacity ?? 1);
    context.beginPath();
    context.ellipse(shape.x * width + w, shape.y * height + h, w, h, 0, 0, 2 * Math.PI);
    context.fill();
  },
};

export function drawOverlay(context, overlay, shell) {
  for (const shape of overlay) SHAPES[shape.kind](context, shape, shell);
}

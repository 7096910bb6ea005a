/* Colours of a photo: one matrix for filter, saturation, contrast and brightness, in that order; applied once, then clamped.
   The same formulas as catalog/services/filters.py. A matrix is 12 numbers, rows r, g, b; the fourth of a row is an offset
   of 0 to 255, as Pillow's Image.convert("RGB", matrix) takes it. Pure. */

const LUMA = [0.299, 0.587, 0.114];
const MIDDLE = 127.5;
export const SAME = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/* `second` after `first`. */
export function multiplied(second, first) {
  const result = [];
  for (let row = 0; row < 3; row += 1) {
    const [r, g, b, offset] = second.slice(4 * row, 4 * row + 4);
    for (let column = 0; column < 4; column += 1) {
      result.push(r * first[column] + g * first[4 + column] + b * first[8 + column] + (column === 3 ? offset : 0));
    }
  }
  return result;
}

export function saturation(value) {
  const keep = 1 + value / 100;
  return [0, 1, 2].flatMap((row) => [...LUMA.map((part, column) => part * (1 - keep) + (row === column ? keep : 0)), 0]);
}

export function contrast(value) {
  const zoom = 1 + value / 100;
  const offset = MIDDLE * (1 - zoom);
  return [zoom, 0, 0, offset, 0, zoom, 0, offset, 0, 0, zoom, offset];
}

export function brightness(value) {
  const offset = (value / 100) * MIDDLE;
  return [1, 0, 0, offset, 0, 1, 0, offset, 0, 0, 1, offset];
}

/* The matrix of a photo item, or null when its colours stay as they are. `presets`: static/studio/filters.json. */
export function matrixOf(item, presets) {
  const steps = [];
  if (item.filter && item.filter !== "none" && presets[item.filter]) steps.push(presets[item.filter]);
  if (item.saturation) steps.push(saturation(item.saturation));
  if (item.contrast) steps.push(contrast(item.contrast));
  if (item.brightness) steps.push(brightness(item.brightness));
  return steps.length ? steps.reduce((first, second) => multiplied(second, first), SAME) : null;
}

/* Changes RGBA bytes where they are; a Uint8ClampedArray rounds and clamps by itself. */
export function apply(pixels, m) {
  for (let at = 0; at < pixels.length; at += 4) {
    const [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]];
    pixels[at] = m[0] * r + m[1] * g + m[2] * b + m[3];
    pixels[at + 1] = m[4] * r + m[5] * g + m[6] * b + m[7];
    pixels[at + 2] = m[8] * r + m[9] * g + m[10] * b + m[11];
  }
}

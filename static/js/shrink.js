/* Makes a photo as small as its print allows, on the phone, before it is sent: a third of the bytes over a slow line.
   Only large JPEG files, never larger than they are; what this browser cannot read (HEIC) is sent as it is. */

const SMALL_BYTES = 1_500_000;
const QUALITY = 0.92;
const CROP_ROOM = 1.3; // how much of `longest` is room to crop (catalog.views.studio_page)

/* How much of its size a photo keeps. `longest`: pixels that its longer side needs at most. The shorter side keeps enough
   to fill the largest case at 300 dpi alone, or a panorama would look blurred. 1: nothing to gain. */
export function scaleFor(width, height, longest) {
  const enough = Math.max(longest / Math.max(width, height), longest / CROP_ROOM / Math.min(width, height));
  return Math.min(1, enough);
}

export async function smaller(file, longest) {
  if (!longest || file.type !== "image/jpeg" || file.size <= SMALL_BYTES) return file;
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = scaleFor(bitmap.width, bitmap.height, longest);
    if (scale === 1) return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return made && made.size < file.size ? made : file;
  } catch {
    return file;
  } finally {
    bitmap?.close();
  }
}

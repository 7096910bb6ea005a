/* Konva, which draws the stage: fetched once, when there is something to draw. It makes a global of itself. */
let coming = null;

export function konva(src) {
  coming ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      coming = null; // the line was lost: whoever asks next tries again
      script.remove();
      reject(new Error(src));
    });
    script.src = src;
    document.head.append(script);
  });
  return coming;
}

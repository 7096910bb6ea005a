/* Sends one photo with a visible progress. XMLHttpRequest because fetch tells nothing about what has been sent. */

const MAX_BYTES = 20 * 1024 * 1024; // the server's limit; asked here only to spare a slow phone the way
const PATIENCE_MS = 180000;

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

/* Resolves with {id, url, width_px, height_px}; rejects with an Error whose message is for the shopper. */
export function uploadPhoto(form, input) {
  const texts = form.dataset;
  const [file] = input.files;
  const bar = document.getElementById("progress");
  if (file.size > MAX_BYTES) {
    input.value = "";
    return Promise.reject(new Error(texts.textLarge));
  }
  const body = new FormData();
  body.append("photo_file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const finish = () => {
      bar.hidden = true;
      input.value = ""; // or the whole form would carry the photo again
    };
    request.open("POST", texts.photoUrl);
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 50;
      if (event.loaded === event.total) bar.removeAttribute("value"); // the server is at work now
    });
    request.addEventListener("load", () => {
      finish();
      const answer = answerOf(request);
      if (request.status >= 200 && request.status < 300 && answer.id) resolve(answer);
      else if (request.status === 410) reject(new Error(texts.textExpired));
      else if (request.status === 413) reject(new Error(answer.detail || texts.textLarge));
      else reject(new Error(answer.detail || texts.textFailed));
    });
    for (const name of ["error", "timeout"]) {
      request.addEventListener(name, () => {
        finish();
        reject(new Error(texts.textOffline));
      });
    }
    bar.value = 0;
    bar.hidden = false;
    request.send(body);
  });
}

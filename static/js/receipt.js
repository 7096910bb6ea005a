// The receipt's button: the browser's own print dialogue. Without a script there is no button, and the browser's menu does it.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());

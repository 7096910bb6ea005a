/* "Send or copy": the phone's own share sheet where there is one, else the clipboard. */

for (const button of document.querySelectorAll("[data-share]")) {
  const words = button.querySelector("span");
  const before = words.textContent;
  button.addEventListener("click", async () => {
    const { share: url, textCopied } = button.dataset;
    try {
      if (navigator.share) await navigator.share({ url });
      else {
        await navigator.clipboard.writeText(url);
        words.textContent = textCopied;
        setTimeout(() => (words.textContent = before), 3000);
      }
    } catch {
      button.closest("section").querySelector("input[readonly]")?.select(); // the shopper turned back, or copies by hand
    }
  });
}

/* The server's part: the whole layout goes there after every pause, the true picture, its price and its warnings come back.
   Keeps the field `layout`, which the form's buttons save, and tells drafts.js of every change and what became of it. */

const WAIT_MS = 350; // one picture per pause of the fingers, not one per pixel
const PATIENCE_MS = 20000;
const id = (name) => document.getElementById(name);

export class Sync {
  constructor(form, store) {
    Object.assign(this, { form, store, fields: form.elements, timer: 0, running: null, sent: "" });
    this.fields.layout.disabled = false;
    this.fields.accept_low_resolution.addEventListener("change", () => this.soon());
    id("enlarge").addEventListener("click", () => this.enlarge());
  }

  body() {
    return JSON.stringify({
      shell: this.store.shell.id, layout: this.store.layout(), accept_low_resolution: this.fields.accept_low_resolution.checked,
    });
  }

  /* After a change: the field at once, the server when the fingers rest. */
  soon() {
    this.fields.layout.value = this.store.shell.id ? JSON.stringify(this.store.layout()) : "";
    if (!this.store.shell.id || this.body() === this.sent) return;
    this.busy(true);
    this.tell("changed", { layout: this.store.layout() });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), WAIT_MS);
  }

  busy(on) {
    id("stage").toggleAttribute("data-busy", on);
  }

  tell(name, detail) {
    this.form.dispatchEvent(new CustomEvent(`studio:${name}`, { detail }));
  }

  async send() {
    const { dataset } = this.form;
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const late = setTimeout(() => mine.abort(), PATIENCE_MS);
    const body = (this.sent = this.body());
    try {
      const answer = await fetch(dataset.layoutUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.fields.csrfmiddlewaretoken.value, Accept: "application/json" },
        body,
        signal: mine.signal,
      });
      const found = await answer.json().catch(() => ({}));
      if (!answer.ok) {
        const text = answer.status === 410 ? dataset.textExpired : found.detail || dataset.textFailed;
        throw Object.assign(new Error(text), { code: found.code ?? String(answer.status) });
      }
      this.tell("saved");
      await this.show(found, mine);
    } catch (error) {
      if (this.running !== mine) return;
      this.sent = ""; // the same layout may be sent again
      this.complain(typeof error.code === "string" ? error.message : dataset.textOffline);
      this.tell("refused", { code: error.code, detail: error.message });
    } finally {
      clearTimeout(late);
      if (this.running === mine && this.body() === body) this.busy(false);
    }
  }

  /* The new picture is decoded before it replaces the old one, so nothing blinks. */
  async show(found, mine) {
    const next = new Image();
    next.src = found.preview_url;
    await next.decode().catch(() => {});
    if (this.running !== mine) return;
    id("preview").src = found.preview_url;
    document.querySelector(".stage-truth").toggleAttribute("data-none", !this.store.items.length);
    this.complain("");
    if (found.price) id("price").textContent = found.price;
    id("warnings").replaceChildren(...found.warnings.map((warning) => this.note("warning", warning.text)));
    id("low-resolution").hidden = !found.low_resolution;
    this.fields.accept_low_resolution.required = found.low_resolution;
  }

  note(template, text) {
    const copy = id(template).content.firstElementChild.cloneNode(true);
    copy.querySelector("span").textContent = text;
    return copy;
  }

  complain(text) {
    id("problems").replaceChildren(...(text ? [this.note("problem", text)] : []));
    if (text) id("problems").scrollIntoView({ block: "nearest" });
  }

  enlarge() {
    const dialog = id("truth");
    dialog.querySelector("img").src = id("preview").src;
    dialog.showModal();
  }
}

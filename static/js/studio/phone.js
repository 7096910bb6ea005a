/* Step 1, anew for another brand or model: the server knows what is sold and what is left. What was chosen last counts. */

const PATIENCE_MS = 20000;
const current = () => document.getElementById("phone");

export class Phone {
  constructor(form, { onChange, complain }) {
    Object.assign(this, { form, onChange, complain, running: null, missed: "" });
    form.addEventListener("change", ({ target }) => {
      if (target.name === "brand" || target.name === "model") this.ask(target.name);
    });
    addEventListener("online", () => this.missed && this.ask(this.missed));
  }

  async ask(name) {
    const { dataset, elements } = this.form;
    const query = new URLSearchParams({ brand: elements.brand.value });
    if (name === "model") query.set("model", elements.model.value);
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const late = setTimeout(() => mine.abort(), PATIENCE_MS);
    this.missed = "";
    current().setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${dataset.phoneUrl}?${query}`, { headers: { Accept: "application/json" }, signal: mine.signal });
      const text = await answer.text();
      if (!answer.ok) throw new Error(answer.status === 410 ? dataset.textExpired : dataset.textFailed, { cause: answer.status });
      if (this.running === mine) this.put(text);
    } catch (error) {
      if (this.running !== mine) return; // something else was chosen meanwhile
      if (!error.cause) this.missed = name;
      this.complain(error.cause ? error.message : dataset.textOffline);
    } finally {
      clearTimeout(late);
      if (this.running === mine) current().removeAttribute("aria-busy");
    }
  }

  /* The fields keep the focus. */
  put(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("phone");
    const focused = current().contains(document.activeElement) ? document.activeElement.id : "";
    current().replaceWith(document.adoptNode(fresh));
    if (focused) document.getElementById(focused)?.focus();
    this.complain("");
    this.onChange();
  }
}

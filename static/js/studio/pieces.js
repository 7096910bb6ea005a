/* Everything on the case as a list of buttons, and the keyboard: arrows move, + and - size, [ and ] turn, Delete removes.
   What a key did is said politely. */
import { rounded, turned } from "./geometry.js";

const KINDS = { photo: "image", text: "text", sticker: "smile" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WRITES = "input:not([type=range], [type=radio], [type=checkbox], [type=color]), select, textarea";

export class Pieces {
  constructor(form, { store, kit }) {
    Object.assign(this, { form, store, kit });
    this.list = document.getElementById("pieces");
    this.live = document.getElementById("studio-live");
    this.notice = document.getElementById("stage-notice");
    this.icons = document.querySelector(".icon use").getAttribute("href").split("#")[0];
    this.list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) store.select(button.dataset.item);
    });
    this.list.addEventListener("focusin", ({ target }) => store.select(target.dataset.item ?? null));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  name(item) {
    const { textPhoto, textText, textSticker } = this.list.dataset;
    if (item.kind === "text") return textText.replace("{text}", item.text);
    if (item.kind === "sticker") return textSticker.replace("{name}", this.kit.name(item.sticker));
    return textPhoto.replace("{n}", this.store.of("photo").indexOf(item) + 1);
  }

  /* Which piece is in doubt, and why, is said at once in a few words; the server says more beside the panels. */
  warn(doubts) {
    const item = doubts.has(this.store.selected) ? this.store.item() : this.store.item([...doubts.keys()].pop() ?? null);
    this.notice.hidden = !item;
    const [name, why] = this.notice.querySelectorAll("span"); // which one, the frame on the stage shows
    const text = item ? this.why(doubts.get(item.id)) : "";
    if (item) name.textContent = this.name(item);
    if (why.textContent !== text) why.textContent = text; // it is read out
  }

  why(doubt) {
    return { camera: this.list.dataset.textCamera, edge: this.list.dataset.textEdge, blurred: this.list.dataset.textBlurred }[doubt] ?? "";
  }

  /* On top of the list what lies on top. Buttons stay the same ones, so that the focus stays. */
  render(doubts) {
    this.warn(doubts);
    const before = new Map([...this.list.children].map((row) => [row.firstElementChild.dataset.item, row]));
    const rows = [...this.store.items].reverse().map((item) => {
      const row = before.get(item.id) ?? document.getElementById("piece").content.firstElementChild.cloneNode(true);
      const button = row.firstElementChild;
      if (!button.dataset.item) this.dress(button, item);
      button.setAttribute("aria-pressed", item.id === this.store.selected);
      button.querySelector("[data-name]").textContent = this.name(item);
      const doubt = button.querySelector("[data-doubt]");
      doubt.hidden = !doubts.has(item.id);
      doubt.lastElementChild.textContent = this.why(doubts.get(item.id));
      return row;
    });
    const same = rows.length === this.list.children.length && rows.every((row, n) => row === this.list.children[n]);
    if (same) return;
    const focused = document.activeElement?.dataset.item;
    this.list.replaceChildren(...rows);
    if (focused) this.list.querySelector(`[data-item="${focused}"]`)?.focus();
  }

  dress(button, item) {
    const space = "http://www.w3.org/2000/svg";
    const icon = document.createElementNS(space, "svg");
    const use = document.createElementNS(space, "use");
    icon.setAttribute("class", "icon");
    use.setAttribute("href", `${this.icons}#${KINDS[item.kind]}`);
    icon.append(use);
    button.firstElementChild.append(icon);
    button.dataset.item = item.id;
  }

  say(text, values = {}) {
    this.live.textContent = Object.entries(values).reduce((line, [key, value]) => line.replace(`{${key}}`, value), text);
  }

  key(event) {
    if (event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.target.closest(WRITES)) return;
    if (event.ctrlKey || event.metaKey) {
      const letter = event.key.toLowerCase();
      if (letter !== "z" && letter !== "y") return;
      event.preventDefault();
      this.travel(event.shiftKey || letter === "y");
      return;
    }
    if (!event.target.closest("#pieces, #canvas, #selection")) return;
    const item = this.store.item();
    if (item && this.act(item, event)) event.preventDefault();
  }

  travel(forward) {
    const had = (forward ? this.store.future : this.store.past).length;
    if (forward) this.store.redo();
    else this.store.undo();
    if (had) this.say(forward ? this.live.dataset.textRedone : this.live.dataset.textUndone);
  }

  /* After one of the list has gone: its neighbour, or the stage. Its own button is still there until the next drawing. */
  focusNear(at) {
    if (!this.list.contains(document.activeElement)) return;
    const rest = [...this.store.items].reverse();
    const next = rest[Math.min(at, rest.length - 1)];
    const place = next ? this.list.querySelector(`[data-item="${next.id}"]`) : document.getElementById("canvas");
    place?.focus();
  }

  act(item, { key, shiftKey }) {
    const { textMoved, textSized, textTurned, textRemoved } = this.live.dataset;
    const name = this.name(item);
    const size = item.kind === "text" ? "size" : "width";
    const step = shiftKey ? 5 : 1;
    const now = () => this.store.item(item.id);
    if (ARROWS[key]) {
      const [x, y] = ARROWS[key];
      this.store.patch(item.id, { cx: item.cx + x * step, cy: item.cy + y * step });
      this.say(textMoved, { name, x: Math.round(now().cx), y: Math.round(now().cy) });
    } else if ("+=-_−".includes(key)) {
      this.store.patch(item.id, { [size]: item[size] * ("+=".includes(key) ? 1.05 : 1 / 1.05) });
      this.say(textSized, { name, size: rounded(now()[size]).toFixed(1) });
    } else if (key === "[" || key === "]") {
      this.store.patch(item.id, { rotation: turned(item.rotation + (key === "]" ? step : -step)) });
      this.say(textTurned, { name, degrees: Math.round(now().rotation) });
    } else if (key === "Delete" || key === "Backspace") {
      const at = [...this.store.items].reverse().indexOf(item);
      this.store.remove(item.id);
      this.say(textRemoved, { name });
      this.focusNear(at);
    } else return false;
    return true;
  }
}

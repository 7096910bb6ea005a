/* Inside WeChat: hands the signed parameters to WeChat's own bridge. What it answers is believed by nobody: the page asks
   the server, and the server asks WeChat Pay. */
import { refresh } from "./live.js";

let asked = false;

function pay() {
  const params = JSON.parse(document.querySelector("[data-wechat-pay]").dataset.params);
  window.WeixinJSBridge.invoke("getBrandWCPayRequest", params, () => refresh());
}

/* Once by itself, afterwards by the button: whoever closed WeChat's sheet must not be pressed. */
function offer() {
  const button = document.querySelector("[data-wechat-pay]");
  if (!button || !window.WeixinJSBridge) return;
  button.hidden = false;
  document.querySelector("[data-wechat-missing]").hidden = true;
  if (asked) return;
  asked = true;
  pay();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-wechat-pay]")) pay();
});
document.addEventListener("WeixinJSBridgeReady", offer);
document.addEventListener("htmx:afterSwap", offer);
offer();

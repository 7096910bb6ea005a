// Runs seed 5's own client code (seed5_checkout.js, word for word) in Node, with a small shim of a browser: base URL,
// the key, the form's fields, where the window goes, what is shown. Prints what happened as one JSON line.
// node seed5_run.mjs BASE_URL API_KEY ORDER_ID CARD_NUMBER [PAYMENT_ID CLIENT_SECRET]
import { readFileSync } from 'node:fs';

const [base, API_KEY, orderId, number, paymentId, clientSecret] = process.argv.slice(2);
const went = [];
const shown = [];
const answers = [];
const fields = { cardNumber: number, expMonth: '12', expYear: '2035', cvc: '123', cardName: 'John Doe' };
const document = { getElementById: (id) => ({ value: fields[id] }) };
const window = {
  location: {
    origin: base,
    set href(url) { went.push(url); },
  },
};
const extra = clientSecret ? { 'X-Payment-Client-Secret': clientSecret } : {};
async function shimmedFetch(path, options) {
  const response = await fetch(base + path, { ...options, headers: { ...options.headers, ...extra } });
  const read = response.json.bind(response);
  response.json = async () => {
    const body = await read();
    answers.push({ status: response.status, body });
    return body;
  };
  return response;
}
const source = readFileSync(new URL('./seed5_checkout.js', import.meta.url), 'utf8');
const names = ['fetch', 'document', 'window', 'API_KEY', 'orderId', 'customerEmail', 'showError'];
const client = new Function(...names, `${source}; return { processPayment, completePayment };`)(
  shimmedFetch, document, window, API_KEY, orderId, 'customer@example.com', (text) => shown.push(text),
);
if (paymentId) await client.completePayment(paymentId);
else await client.processPayment();
console.log(JSON.stringify({ went, shown, answers }));

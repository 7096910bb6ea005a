// Seed 2, "Create Native Payment", the frontend's usage as it stands there.
import { QRCode, given, tell } from './shim.mjs'
const { currentUser, content } = given

const response = await fetch('/api/v1/payments/wechat/native', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    userId: currentUser.id,
    contentId: content.id,
    amount: content.price,
    subject: content.title,
  }),
});

const { data } = await response.json();

// Generate QR code
const qrCodeDataUrl = await QRCode.toDataURL(data.codeUrl);

tell({ qrCodeDataUrl, data })

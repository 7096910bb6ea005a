// Seed 2, "Create JSAPI Payment", the mini program's usage as it stands there.
import { given, tell, wx } from './shim.mjs'
const { app, contentId, price, title } = given
const said = []
const console = { log: (...words) => said.push(words), error: (...words) => said.push(words) }

// WeChat Mini Program
const response = await wx.request({
  url: '/api/v1/payments/wechat/jsapi',
  method: 'POST',
  data: {
    userId: app.globalData.userId,
    contentId: contentId,
    amount: price,
    subject: title,
    openid: app.globalData.openid,
  },
});

// Invoke WeChat Pay
wx.requestPayment({
  ...response.data.paymentParams,
  success: (res) => {
    console.log('Payment successful', res);
  },
  fail: (err) => {
    console.error('Payment failed', err);
  },
});

tell({ said })

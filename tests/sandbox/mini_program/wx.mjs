// The phone: what a mini program finds in WeChat and Node has not. wx.login and wx.requestPayment lead to the sandbox, where
// somebody has an openid and confirms in the wallet; requests carry what WeChat adds. Nothing of the shop's API is here.
const { SANDBOX_URL, APP_ID, OPENID } = process.env
const storage = new Map()

const calling = (work, { success, fail, complete }) =>
  work().then(
    (found) => (success?.(found), complete?.(found)),
    (error) => (fail?.({ errMsg: `fail ${error.message}` }), complete?.({ errMsg: `fail ${error.message}` })),
  )

const page = async (url, options = {}) => {
  const answer = await fetch(url, options)
  return { answer, text: await answer.text() }
}

// The wallet: find the payment by what wx.requestPayment was handed, open it, press "Confirm payment".
async function confirm(prepay) {
  const { answer, text } = await page(`${SANDBOX_URL}/wechatpay/scan/${prepay}/`)
  const token = text.match(/name="csrfmiddlewaretoken" value="(\w+)"/)?.[1]
  const cookie = answer.headers.get('set-cookie')?.split(';')[0]
  if (!token || !cookie) throw new Error('the wallet shows nothing to confirm')
  const done = await page(`${SANDBOX_URL}/wechatpay/scan/${prepay}/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookie },
    body: new URLSearchParams({ csrfmiddlewaretoken: token, button: 'confirm' }),
  })
  if (!done.text.includes('data-state="SUCCESS"')) throw new Error('the wallet did not pay')
}

export const wx = {
  login: (given) =>
    calling(async () => {
      const answer = await fetch(`${SANDBOX_URL}/sandbox/api/wechat/code`, {
        method: 'POST',
        body: JSON.stringify({ openid: OPENID }),
      })
      return { code: (await answer.json()).code, errMsg: 'login:ok' }
    }, given),

  request: (given) =>
    calling(async () => {
      const { url, data, header = {}, method = 'GET' } = given
      if (method === 'PATCH') throw new Error('mini programs have no PATCH')
      const answer = await fetch(url, {
        method,
        headers: {
          'Content-Type': 'application/json',
          Referer: `https://servicewechat.com/${APP_ID}/devtools/page-frame.html`,
          ...header,
        },
        ...(data === undefined ? {} : { body: JSON.stringify(data) }),
      })
      const text = await answer.text()
      return {
        statusCode: answer.status,
        header: Object.fromEntries(answer.headers),
        data: text ? JSON.parse(text) : '',
        errMsg: 'request:ok',
      }
    }, given),

  requestPayment: (given) =>
    calling(async () => {
      for (const name of ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign'])
        if (typeof given[name] !== 'string' || !given[name]) throw new Error(`requestPayment:${name} is no string`)
      if (!given.package.startsWith('prepay_id=')) throw new Error('requestPayment:package')
      await confirm(given.package.slice('prepay_id='.length))
      return { errMsg: 'requestPayment:ok' }
    }, given),

  getDeviceInfo: () => ({ platform: process.env.PLATFORM || 'android', model: 'A phone' }),
  getStorageSync: (name) => storage.get(name) ?? '',
  setStorageSync: (name, value) => storage.set(name, value),
  removeStorageSync: (name) => storage.delete(name),
}

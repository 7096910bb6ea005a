// What a browser or a mini program has and Node has not: the shop's address, a log-in, wx, QRCode. Here nothing of the seeds.
const base = process.env.SHOP_URL
const token = process.env.TOKEN
const realFetch = globalThis.fetch

export const shown = []

globalThis.fetch = (url, options = {}) =>
  realFetch(new URL(url, base), {
    ...options,
    headers: { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
  })

export const QRCode = {
  toDataURL: async (text) => `data:text/plain,${encodeURIComponent(text)}`,
}

export const wx = {
  // As a promise of the answer's body, which is how the seed's example reads it.
  request: async ({ url, method, data }) => {
    const answer = await fetch(url, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(data),
    })
    return answer.json()
  },
  requestPayment: ({ success, fail, ...params }) => {
    const wanted = ['appId', 'timeStamp', 'nonceStr', 'package', 'signType', 'paySign']
    const missing = wanted.filter((name) => typeof params[name] !== 'string' || !params[name])
    if (missing.length) fail({ errMsg: `requestPayment:fail ${missing}` })
    else success({ errMsg: 'requestPayment:ok' })
  },
}

export const wxResponse = {
  // As WeChat answers a promise: statusCode and data. Its mini programs send JSON, and a body only where there is data.
  request: async ({ url, method, data, header }) => {
    const answer = await realFetch(new URL(new URL(url).pathname, base), {
      method,
      headers: { 'Content-Type': 'application/json', ...header },
      ...(data === undefined ? {} : { body: JSON.stringify(data) }),
    })
    return { statusCode: answer.status, data: await answer.json() }
  },
  getStorageSync: (name) => ({ token })[name],
  // A mini program's own id is not sent along: WeChat knows which one it runs.
  requestPayment: ({ success, fail, ...params }) => {
    const wanted = ['timeStamp', 'nonceStr', 'package', 'signType', 'paySign']
    const missing = wanted.filter((name) => typeof params[name] !== 'string' || !params[name])
    if (missing.length || !params.package.startsWith('prepay_id=')) fail({ errMsg: `requestPayment:fail ${missing}` })
    else success({ errMsg: 'requestPayment:ok' })
  },
}

export const given = JSON.parse(process.env.GIVEN || '{}')
export const tell = (found) => process.stdout.write(JSON.stringify(found))

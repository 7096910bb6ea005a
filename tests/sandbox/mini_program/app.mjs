// A mini program, written from docs/howto/mini-program.md and docs/api/seed4.md alone.
import { randomUUID } from 'node:crypto'
import { wx } from './wx.mjs'

const SHOP = process.env.SHOP_URL
const VERSION = '1.0.0'
const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))
const promised = (call, given = {}) => new Promise((success, fail) => call({ ...given, success, fail }))

// --- calls ---
async function send(method, path, data, more = {}) {
  const token = wx.getStorageSync('token')
  return promised(wx.request, {
    url: `${SHOP}${path}`,
    method,
    data,
    header: {
      'X-Client': `miniprogram:${wx.getDeviceInfo().platform}/${VERSION}`,
      'Accept-Language': 'zh-CN',
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...more,
    },
  })
}

async function logIn() {
  for (let tries = 0; tries < 3; tries += 1) {
    const { code } = await promised(wx.login)
    const answer = await send('POST', '/api/auth/wechat/login', { code, device: wx.getDeviceInfo().model })
    if (answer.statusCode === 200) {
      wx.setStorageSync('token', answer.data.token)
      return answer.data.user
    }
    if (![400, 429, 503].includes(answer.statusCode)) throw new Error(answer.data.detail)
    await wait(Number(answer.header['retry-after'] || 0))
  }
  throw new Error('WeChat does not let us in')
}

// A token that has ended is replaced without asking anybody, and the call is made again.
async function call(method, path, data, more) {
  let answer = await send(method, path, data, more)
  if (answer.statusCode === 401) {
    wx.removeStorageSync('token')
    await logIn()
    answer = await send(method, path, data, more)
  }
  if (answer.statusCode >= 400) throw new Error(answer.data.detail || `HTTP ${answer.statusCode}`)
  return answer.data
}

// --- buying ---
async function buy(product) {
  const once = { 'Idempotency-Key': randomUUID() }
  const order = await call('POST', '/api/orders/create', { product_id: product.id }, once)
  const again = await call('POST', '/api/orders/create', { product_id: product.id }, once)
  if (again.order_id !== order.order_id) throw new Error('a repeat made another order')
  const { payment_data: payment } = await call('POST', `/api/orders/pay/${order.order_id}`)
  const reported = await promised(wx.requestPayment, payment).catch((error) => error)
  return { order, reported: reported.errMsg, stands: await untilDecided(order.order_id) }
}

async function untilDecided(id) {
  await wait(1)
  for (let tries = 0; tries < 20; tries += 1) {
    const stands = await call('GET', `/api/orders/payment-status/${id}`)
    if (stands.paid || ['cancelled', 'refunded'].includes(stands.status)) return stands
    await wait(3)
  }
  throw new Error('not decided')
}

// --- what somebody does with it ---
const told = { user: await logIn(), products: await call('GET', '/api/products/') }
told.before = (await call('GET', '/api/credits')).available
if (told.products.length) {
  told.bought = await buy(told.products[0])
  told.after = (await call('GET', '/api/credits')).available
  told.orders = await call('GET', '/api/orders/')
  wx.setStorageSync('token', 'shop_ut_that-has-ended')
  told.devices = (await call('GET', '/api/auth/devices')).devices
  const old = told.devices.find((device) => !device.current)
  await call('DELETE', `/api/auth/devices/${old.id}`)
  told.left = (await call('GET', '/api/auth/devices')).devices.length
} else {
  told.refused = await call('POST', '/api/orders/create', { product_id: 1 }).catch((error) => error.message)
}
process.stdout.write(JSON.stringify(told))

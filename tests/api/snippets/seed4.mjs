// Seed 4, "集成示例", as it stands there.
import { given, tell, wxResponse as wx } from './shim.mjs'
const said = []
const console = { log: (...words) => said.push(words), error: (...words) => said.push(words) }

// 创建订单
async function createOrder(productId) {
  const response = await wx.request({
    url: 'https://your-api-domain.com/api/orders/create',
    method: 'POST',
    data: { product_id: productId },
    header: { 'Authorization': 'Bearer ' + wx.getStorageSync('token') }
  });
  
  if (response.statusCode === 200) {
    return response.data;
  } else {
    throw new Error(response.data.detail || '创建订单失败');
  }
}

// 发起支付
async function payOrder(orderId) {
  const response = await wx.request({
    url: `https://your-api-domain.com/api/orders/pay/${orderId}`,
    method: 'POST',
    header: { 'Authorization': 'Bearer ' + wx.getStorageSync('token') }
  });
  
  if (response.statusCode === 200) {
    const paymentData = response.data.payment_data;
    
    // 调用微信支付
    wx.requestPayment({
      timeStamp: paymentData.timeStamp,
      nonceStr: paymentData.nonceStr,
      package: paymentData.packageValue,
      signType: paymentData.signType,
      paySign: paymentData.paySign,
      success(res) {
        console.log('支付成功', res);
        // 支付成功后刷新用户积分
      },
      fail(err) {
        console.error('支付失败', err);
      }
    });
    
    return true;
  } else {
    throw new Error(response.data.detail || '发起支付失败');
  }
}

const refused = async (work) => {
  try {
    await work()
    return ''
  } catch (error) {
    return error.message
  }
}

const order = await createOrder(given.productId)
const paid = await payOrder(order.order_id)
tell({
  order,
  paid,
  said,
  noProduct: await refused(() => createOrder(999999)),
  noOrder: await refused(() => payOrder(999999)),
})

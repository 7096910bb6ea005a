// Seed 3, api.ts as it stands there without its types.
import { given, tell } from './shim.mjs'

const API_BASE_URL = process.env.NEXT_PUBLIC_API_URL || 'https://pay.photosong.com/api';

export const createCheckoutSession = async (priceId) => {
  const response = await fetch(`${API_BASE_URL}/create-checkout-session`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ priceId }),
  });

  if (!response.ok) {
    const error = await response.json();
    throw new Error(error.error?.message || 'Failed to create checkout session');
  }

  return response.json();
};

export const checkPaymentStatus = async (sessionId) => {
  const response = await fetch(`${API_BASE_URL}/check-payment-status/${sessionId}`);

  if (!response.ok) {
    const error = await response.json();
    throw new Error(error.error?.message || 'Failed to check payment status');
  }

  return response.json();
};

const wrong = async (call) => {
  try {
    await call()
  } catch (error) {
    return error.message
  }
}
const { url, sessionId } = await createCheckoutSession(given.priceId)
tell({
  url,
  sessionId,
  status: await checkPaymentStatus(sessionId),
  noPrice: await wrong(() => createCheckoutSession('price_none')),
  noSession: await wrong(() => checkPaymentStatus('cs_test_none')),
})

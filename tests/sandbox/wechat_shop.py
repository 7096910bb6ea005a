"""What the tests of the simulated WeChat Pay share: our gateway and an independent SDK against the running process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

from payments.gateways import base, wechatpay
from pimpshop.core.money import Money
from tests.support.sandbox import Sandbox

APP_ID, MINI_APP_ID, MCH_ID = "wx1234567890abcdef", "wxsandboxminiprogram", "1900000109"
SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
V3_KEY = "sandbox-v3-key-of-thirty-two-byt"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092024092900000000"
NOTIFY = "/api/v1/payments/wechat/notify"


def key(name: str) -> str:
    return (Path(os.environ["SANDBOX_KEYS_DIR"]) / name).read_text()


def config(sandbox: Sandbox, shop_url: str, **changes: Any) -> wechatpay.Config:
    values: dict[str, Any] = {
        "app_id": APP_ID, "mini_app_id": MINI_APP_ID, "mch_id": MCH_ID, "serial_no": SERIAL, "api_v3_key": V3_KEY,
        "private_key": key("wechat_merchant.private.pem"), "public_key_id": PUBLIC_KEY_ID,
        "public_key": key("wechat_platform.public.pem"), "base_url": f"{sandbox.base_url}/wechatpay",
        "notify_url": f"{shop_url}{NOTIFY}",
    }  # fmt: skip
    return wechatpay.Config(**(values | changes))


def gateway(sandbox: Sandbox, shop_url: str, **changes: Any) -> wechatpay.WeChatPayGateway:
    return wechatpay.WeChatPayGateway(config(sandbox, shop_url, **changes))


def sdk(sandbox: Sandbox, shop_url: str, *, public_key_mode: bool = True) -> WeChatPay:
    """wechatpayv3 pointed at the sandbox; it signs the path below the mount."""
    keys = {"public_key": key("wechat_platform.public.pem"), "public_key_id": PUBLIC_KEY_ID}
    made = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=MCH_ID, private_key=key("wechat_merchant.private.pem"),
        cert_serial_no=SERIAL, apiv3_key=V3_KEY, appid=APP_ID, notify_url=f"{shop_url}{NOTIFY}", **keys,
    )  # fmt: skip
    made._core._gate_way = f"{sandbox.base_url}/wechatpay"
    if not public_key_mode:
        made._core._public_key = made._core._public_key_id = None
        made._core._init_certificates()
    return made


def request(number: str, method: str = "native", yuan: str = "19.99", **changes: Any) -> base.PaymentRequest:
    values: dict[str, Any] = {
        "intent_id": "pay_1", "out_trade_no": number, "order_no": number, "amount": Money.parse(yuan, "CNY"),
        "method": method, "description": "iPhone 15 Pro 手机壳", "idempotency_key": f"{number}:1:create",
        "payer_ref": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "client_ip": "203.0.113.7", "platform": "ios",
        "return_url": "https://shop.example/orders/1/?a=b&c=d",
    }  # fmt: skip
    return base.PaymentRequest(**(values | changes))


def ref(number: str, yuan: str = "19.99") -> base.PaymentRef:
    return base.PaymentRef(intent_id="pay_1", out_trade_no=number, amount=Money.parse(yuan, "CNY"))


def refund(
    number: str, refund_no: str, yuan: str, total: str = "19.99", **changes: Any
) -> base.RefundRequest:
    values: dict[str, Any] = {
        "refund_id": "ref_1", "out_refund_no": refund_no, "out_trade_no": number, "amount": Money.parse(yuan, "CNY"),
        "total": Money.parse(total, "CNY"), "idempotency_key": refund_no, "reason": "顾客取消",
    }  # fmt: skip
    return base.RefundRequest(**(values | changes))


def pay(sandbox: Sandbox, number: str) -> dict[str, Any]:
    """The payer's yes; the order."""
    answer = requests.post(
        f"{sandbox.base_url}/sandbox/api/wechatpay/pay", json={"out_trade_no": number}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["order"]


def books(sandbox: Sandbox) -> dict[str, Any]:
    return requests.get(
        f"{sandbox.base_url}/sandbox/api/books", params={"provider": "wechatpay"}, timeout=10
    ).json()


def fault(sandbox: Sandbox, name: str, **values: Any) -> None:
    sandbox.fault(name, provider="wechatpay", **values)

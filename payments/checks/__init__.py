"""What payments has checked: `invariants` of its rows and of the `outbox` (manage.py check_invariants) and the settings of its gateways, one
module each (manage.py check, and every server's start). Importing this package registers them."""

from payments.checks import alipay, invariants, outbox, stripe, wechatpay

__all__ = ["alipay", "invariants", "outbox", "stripe", "wechatpay"]

"""WeChat Pay API v3 as a gateway: QR code (native), in WeChat (jsapi, mini), in a phone's browser (h5), in an app.

Lives here: the verbs. The rest of the package is named in `__init__`. Source: https://pay.weixin.qq.com/doc/v3/merchant/.

Guarantees: `out_trade_no` is the idempotency key on the wire, and the same request is the same body, so that a repeat
gives the same code. After any refusal that is not plainly ours, WeChat Pay is asked and its trade_state decides. The
client's own "ok" proves nothing: only a query or a signed notification does. `provider_ref` is the transaction_id, so it
is empty until somebody paid; the prepay_id stands in the next action's params.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from urllib.parse import quote

from payments.gateways.base import (
    ErrorCode,
    Flag,
    GatewayDeclined,
    GatewayDefaults,
    GatewayUnavailable,
    MethodInfo,
    NextAction,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    RefundRequest,
    RefundResult,
    RefundStatus,
    StatementLine,
    WebhookEvent,
    WebhookReply,
    WebhookRequest,
)
from payments.gateways.wechatpay import bills, messages, notices, orders, words
from payments.gateways.wechatpay.config import Config
from payments.gateways.wechatpay.wire import Refused, Wire
from pimpshop.core.money import Money

ORDERS = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
_NOT_THERE = {"ORDERNOTEXIST", "RESOURCENOTEXISTS"}


class WeChatPayGateway(GatewayDefaults):
    """The gateway `wechatpay`."""

    key = "wechatpay"
    can_close = True
    can_refund = True
    can_statement = True

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wire = Wire(config)
        self.account = config.mch_id
        self.live = config.live

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]:
        """CNY from 0.01; the mini program's way where it has an app id."""
        if currency != "CNY" or amount.currency != "CNY" or amount.amount_minor < 1:
            return ()
        return orders.methods(self._config)

    # --- payments ---

    def create_payment(self, request: PaymentRequest) -> PaymentResult:
        """Place the order. Amounts are fen; `expires_at` becomes time_expire. A `resend` looks first.

        Raises GatewayUnavailable, GatewayDeclined (payment_closed, duplicate_reference, payment_failed), GatewayMisuse.
        """
        order = orders.Order.of(self._config, request)
        if request.resend:
            known = self._look(request.out_trade_no, request.order_no)
            if known is not None and known.status != PaymentStatus.REQUIRES_ACTION:
                return _unless_closed(known)
        path = f"{ORDERS}/{order.kind}"
        try:
            told = self._wire.call(
                "POST", path, name=f"create {request.method}", subject=request.order_no, body=order.body
            )
        except Refused as refused:
            return self._explain(request, refused)
        return PaymentResult(
            status=PaymentStatus.REQUIRES_ACTION,
            next_action=order.next_action(self._config, self._wire.private_key, told),
            raw={"out_trade_no": request.out_trade_no},
            out_trade_no=request.out_trade_no,
            account=self.account,
            live=self.live,
        )

    def _explain(self, request: PaymentRequest, refused: Refused) -> PaymentResult:
        """A refused create: paid meanwhile, ours from an earlier send, closed, or refused for good."""
        known = self._look(request.out_trade_no, request.order_no)
        if known is None:
            raise refused.mapped(words.REFUSED)
        if known.status != PaymentStatus.REQUIRES_ACTION:
            return _unless_closed(known)
        if request.resend and words.plain(refused.code) == "OUTTRADENOUSED":
            return orders.lost(known)  # the first send arrived in other words, and its code is lost
        raise refused.mapped(words.REFUSED)

    def renew_action(self, action: NextAction) -> NextAction:
        """Parameters for a client, with the time and signature of now."""
        return orders.signed_again(self._config, self._wire.private_key, action)

    def query_payment(self, ref: PaymentRef) -> PaymentResult:
        """The order by our number. One that is not known is CREATED with `not_found`.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        found = self._look(ref.out_trade_no, ref.order_no or ref.out_trade_no)
        return found or messages.unknown_payment(self._config, ref.out_trade_no)

    def _look(self, out_trade_no: str, subject: str) -> PaymentResult | None:
        path = f"{ORDERS}/out-trade-no/{quote(out_trade_no, safe='')}?mchid={self._config.mch_id}"
        try:
            told = self._wire.call("GET", path, name="query", subject=subject)
        except Refused as refused:
            if refused.status == 404 and words.plain(refused.code) in _NOT_THERE:
                return None
            raise refused.mapped({}) from refused
        return messages.payment(self._config, told, out_trade_no=out_trade_no, wrong=messages.bad_answer)

    def close_payment(self, ref: PaymentRef) -> PaymentResult:
        """Close an order that nobody paid; a paid one answers as it stands. Closing twice is harmless.

        Raises GatewayUnavailable (also while WeChat Pay refuses to close an open order), GatewayMisuse.
        """
        path = f"{ORDERS}/out-trade-no/{quote(ref.out_trade_no, safe='')}/close"
        subject = ref.order_no or ref.out_trade_no
        try:
            self._wire.call("POST", path, name="close", subject=subject, body={"mchid": self._config.mch_id})
        except Refused as refused:
            found = self._look(ref.out_trade_no, subject)
            if found is not None and found.status == PaymentStatus.REQUIRES_ACTION:
                raise GatewayUnavailable(refused.message, provider_code=refused.code) from refused
            return found or messages.unknown_payment(self._config, ref.out_trade_no)
        return PaymentResult(
            status=PaymentStatus.CANCELED, out_trade_no=ref.out_trade_no, account=self.account, live=self.live,
            provider_status="CLOSED",
        )  # fmt: skip

    # --- refunds ---

    def create_refund(self, request: RefundRequest) -> RefundResult:
        """Give money back; the first answer is normally pending. A `resend` looks first.

        An empty balance (NOT_ENOUGH) is GatewayUnavailable(insufficient_funds): the same number is to be sent again.
        Raises GatewayUnavailable, GatewayDeclined (refund_amount_invalid, payment_failed), GatewayMisuse.
        """
        body = orders.refund_body(self._config, request)
        if request.resend:
            known = self.query_refund(request)
            if Flag.NOT_FOUND not in known.flags:
                return known
        try:
            told = self._wire.call("POST", REFUNDS, name="refund", subject=request.out_trade_no, body=body)
        except Refused as refused:
            raise refused.mapped(words.REFUND_REFUSED) from refused
        return messages.refund(told, out_refund_no=request.out_refund_no)

    def query_refund(self, request: RefundRequest) -> RefundResult:
        """The refund by our number. One that is not known is CREATED with `not_found`.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        path = f"{REFUNDS}/{quote(request.out_refund_no, safe='')}"
        try:
            told = self._wire.call("GET", path, name="query refund", subject=request.out_trade_no)
        except Refused as refused:
            if refused.status == 404 and words.plain(refused.code) in _NOT_THERE:
                return RefundResult(status=RefundStatus.CREATED, flags=(Flag.NOT_FOUND,))
            raise refused.mapped({}) from refused
        return messages.refund(told, out_refund_no=request.out_refund_no)

    # --- what they tell ---

    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]:
        """The event of a notification, verified and opened. Raises WebhookRejected."""
        return notices.read(self._config, self._wire.ring, post)

    def acknowledge(self, *, accepted: bool = True) -> WebhookReply:
        """200 stops the repeats; anything but 2xx is sent again, 15 times within a day."""
        if accepted:
            return WebhookReply(body=b'{"code":"SUCCESS","message":"Success"}')
        return WebhookReply(body='{"code":"FAIL","message":"失败"}'.encode(), status=400)

    def statement(self, day: date) -> Sequence[StatementLine]:
        """The trade bill of a day of Shanghai; there from 10:00 on the next one. Empty for a day without trade.

        Raises GatewayUnavailable (also while it is being made), GatewayMisuse.
        """
        path = f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL"
        subject = f"bill {day.isoformat()}"
        try:
            told = self._wire.call("GET", path, name="tradebill", subject=subject)
        except Refused as refused:
            if words.plain(refused.code) == "NOSTATEMENTEXIST":
                return ()
            if words.plain(refused.code) == "STATEMENTCREATING":
                raise GatewayUnavailable(refused.message, provider_code=refused.code) from refused
            raise refused.mapped({}) from refused
        url = messages.text(told, "download_url")
        file = self._wire.download(url, name="tradebill file", subject=subject)
        bills.check_hash(file, kind=messages.text(told, "hash_type"), value=messages.text(told, "hash_value"))
        return bills.lines(file)


def _unless_closed(known: PaymentResult) -> PaymentResult:
    """What is known of an order that was placed before. Raises GatewayDeclined when nobody can pay it any more."""
    if known.status in (PaymentStatus.CANCELED, PaymentStatus.FAILED):
        raise GatewayDeclined(
            "the order is closed", code=ErrorCode.PAYMENT_CLOSED, provider_code=known.provider_status
        )
    return known

"""The gateway `alipay`: the port's verbs as calls of Alipay.

`page`, `wap` and `app` make no call: the answer is a signed address or order string, and the trade does not exist
before the shopper opens it. `precreate` answers a QR code; its trade does not exist before somebody scans. So "the
trade does not exist" (to a query or a close) means "not yet": CREATED with `not_found`, which neither fails an attempt
nor sends it again once it was shown. Nobody can pay after `time_expire`, so what is not found then never will be.

Guarantees: `out_trade_no` is the key on the wire, so a repeated create is the same trade; `out_request_no` is the
refund's, so a repeated refund moves nothing twice; a close never reverses a payment (cancel, which would, is not used).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from payments.gateways.alipay import bills, notices, wire, words
from payments.gateways.base import (
    ClientParams,
    ErrorCode,
    ErrorDetail,
    Flag,
    GatewayDefaults,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    MethodInfo,
    NextAction,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    QrCode,
    Redirect,
    RefundRequest,
    RefundResult,
    RefundStatus,
    StatementLine,
    WebhookEvent,
    WebhookReply,
    WebhookRequest,
)
from pimpshop.core import redaction
from pimpshop.core.money import InvalidAmount, Money

_NUMBER = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
_NOT_IN_SUBJECT = re.compile(r"[/=&\x00-\x1f\x7f]+")
_SHOWN = ("trade_no", "out_trade_no", "trade_status", "total_amount", "receipt_amount", "send_pay_date",
          "fund_change", "refund_fee", "refund_amount", "refund_status", "gmt_refund_pay", "out_request_no")  # fmt: skip
#: Bills of a day are there on the next one, after nine in the morning.
_BILL_READY = timedelta(days=1, hours=10)


class AlipayGateway(GatewayDefaults):
    """One application at Alipay. Raises ValueError when a key or certificate of `config` cannot be read."""

    key = "alipay"
    can_close = True
    can_refund = True
    can_statement = True

    def __init__(self, config: wire.Config) -> None:
        self.account, self.live = config.app_id, config.live
        self._wire = wire.Wire(config)
        self._reader = notices.Reader(self._wire, key=self.key, seller_id=config.seller_id, live=config.live)

    # --- payments ---

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]:
        """Four, for 0.01 to 100,000,000 CNY. Which of them fits (desktop, phone, app) is for the caller to say."""
        if (
            currency != words.CURRENCY
            or amount.currency != currency
            or not words.LEAST <= amount <= words.MOST
        ):
            return ()
        return words.METHODS

    def create_payment(self, request: PaymentRequest) -> PaymentResult:
        """What the shopper opens or scans. Only `precreate` calls; a `resend` of it looks first.

        Raises GatewayUnavailable, GatewayDeclined, GatewayMisuse.
        """
        biz = _order(request)
        method, product_code = words.PRODUCTS[request.method]
        biz["product_code"] = product_code
        if request.method != "precreate":
            if request.method == "wap" and (request.cancel_url or request.return_url):
                biz["quit_url"] = request.cancel_url or request.return_url
            return self._waiting(request, self._opened(request, method, biz))
        if request.resend:
            known = self._query(request.out_trade_no, request.order_no)
            if known.status != PaymentStatus.REQUIRES_ACTION and Flag.NOT_FOUND not in known.flags:
                return known
        told = self._wire.call(method, biz, subject=request.order_no, notify_url=request.notify_url)
        code = told.get("qr_code")
        if told.get("out_trade_no") != request.out_trade_no or not isinstance(code, str) or not code:
            raise GatewayUnavailable("the answer is about another trade", code=ErrorCode.BAD_ANSWER)
        return self._waiting(request, QrCode(content=code, expires_at=request.expires_at))

    def _opened(self, request: PaymentRequest, method: str, biz: Mapping[str, Any]) -> NextAction:
        if request.method == "app":
            params = self._wire.signed(method, biz, notify_url=request.notify_url)
            return ClientParams(sdk="alipay_app", params={"order_string": self._wire.order_string(params)})
        params = self._wire.signed(method, biz, notify_url=request.notify_url, return_url=request.return_url)
        return Redirect(url=self._wire.address(params))

    def _waiting(self, request: PaymentRequest, action: NextAction) -> PaymentResult:
        return PaymentResult(
            status=PaymentStatus.REQUIRES_ACTION, next_action=action, out_trade_no=request.out_trade_no,
            account=self.account, live=self.live, raw={"out_trade_no": request.out_trade_no},
        )  # fmt: skip

    def query_payment(self, ref: PaymentRef) -> PaymentResult:
        """How the trade stands. One that nobody opened yet is CREATED with `not_found`.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        return self._query(ref.out_trade_no, ref.order_no or ref.out_trade_no)

    def _query(self, out_trade_no: str, subject: str) -> PaymentResult:
        try:
            told = self._wire.call("alipay.trade.query", {"out_trade_no": out_trade_no}, subject=subject)
        except GatewayError as error:
            if error.provider_code == words.NOT_EXIST:
                return self._not_yet(out_trade_no)
            raise
        if told.get("out_trade_no") != out_trade_no:
            raise GatewayUnavailable("the answer is about another trade", code=ErrorCode.BAD_ANSWER)
        word = str(told.get("trade_status") or "")
        status, flags = notices.status_of(word)
        amount = _money(told, "total_amount")
        # A closed trade that was paid once was paid back in full: Alipay has one word for both.
        if word == "TRADE_CLOSED" and told.get("send_pay_date"):
            status = PaymentStatus.REFUNDED
        closed = status == PaymentStatus.CANCELED
        trade_no = str(told.get("trade_no") or "")
        return PaymentResult(
            status=status, provider_ref=trade_no, transaction_ref=trade_no, amount=amount,
            refunded=amount if status == PaymentStatus.REFUNDED else None,
            error=ErrorDetail(code=ErrorCode.PAYMENT_CLOSED, provider_code=word) if closed else None,
            out_trade_no=out_trade_no, account=self.account, live=self.live, provider_status=word, flags=flags,
            raw=_shown(told),
        )  # fmt: skip

    def _not_yet(self, out_trade_no: str) -> PaymentResult:
        return PaymentResult(
            status=PaymentStatus.CREATED, out_trade_no=out_trade_no, account=self.account, live=self.live,
            provider_status=words.NOT_EXIST, flags=(Flag.NOT_FOUND,),
        )  # fmt: skip

    def close_payment(self, ref: PaymentRef) -> PaymentResult:
        """Close a trade that waits. Paid or closed already: how it stands. Not opened yet: CREATED with `not_found`,
        for what was shown to the shopper can be opened until its `time_expire`.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        subject = ref.order_no or ref.out_trade_no
        try:
            told = self._wire.call("alipay.trade.close", {"out_trade_no": ref.out_trade_no}, subject=subject)
        except GatewayError as error:
            if error.provider_code == words.NOT_EXIST:
                return self._not_yet(ref.out_trade_no)
            if error.provider_code in words.NOT_WAITING:
                return self._query(ref.out_trade_no, subject)
            raise
        if told.get("out_trade_no", ref.out_trade_no) != ref.out_trade_no:
            raise GatewayUnavailable("the answer is about another trade", code=ErrorCode.BAD_ANSWER)
        return PaymentResult(
            status=PaymentStatus.CANCELED, provider_ref=str(told.get("trade_no") or ""),
            out_trade_no=ref.out_trade_no, account=self.account, live=self.live, provider_status="TRADE_CLOSED",
            raw=_shown(told),
        )  # fmt: skip

    # --- refunds ---

    def create_refund(self, request: RefundRequest) -> RefundResult:
        """Give back under `out_refund_no`; a repeat moves nothing twice. Money that did not move now (`fund_change` N) is
        asked about: it moved before, or not yet. Raises GatewayUnavailable, GatewayDeclined, GatewayMisuse."""
        if request.amount.currency != words.CURRENCY or request.amount.amount_minor <= 0:
            raise GatewayMisuse("no amount to refund", code=ErrorCode.REFUND_AMOUNT_INVALID, not_sent=True)
        if request.resend:
            known = self.query_refund(request)
            if known.status == RefundStatus.SUCCEEDED:
                return known
        biz = {
            "out_trade_no": request.out_trade_no,
            "refund_amount": str(request.amount.to_decimal()),
            "out_request_no": request.out_refund_no,
        }
        if request.reason:
            biz["refund_reason"] = request.reason[:256]
        told = self._wire.call("alipay.trade.refund", biz, subject=request.out_trade_no)
        if told.get("out_trade_no") != request.out_trade_no:
            raise GatewayUnavailable("the answer is about another trade", code=ErrorCode.BAD_ANSWER)
        if told.get("fund_change") == "Y":
            return self._refund(RefundStatus.SUCCEEDED, request, told)
        found = self.query_refund(request)
        if found.status == RefundStatus.SUCCEEDED:
            return found
        return self._refund(RefundStatus.PENDING, request, told)

    def query_refund(self, request: RefundRequest) -> RefundResult:
        """A refund that Alipay does not know (yet) is CREATED with `not_found`: sending it again is safe.

        Raises GatewayUnavailable, GatewayDeclined, GatewayMisuse.
        """
        biz = {"out_trade_no": request.out_trade_no, "out_request_no": request.out_refund_no}
        told = self._wire.call("alipay.trade.fastpay.refund.query", biz, subject=request.out_trade_no)
        named = {"out_trade_no": request.out_trade_no, "out_request_no": request.out_refund_no}
        if any(told.get(name, wanted) != wanted for name, wanted in named.items()):
            raise GatewayUnavailable("the answer is about another refund", code=ErrorCode.BAD_ANSWER)
        word = str(told.get("refund_status") or "")
        if word == "REFUND_SUCCESS":
            if (amount := _money(told, "refund_amount")) is not None and amount != request.amount:
                raise GatewayMisuse("another amount was refunded", code=ErrorCode.REFUND_AMOUNT_INVALID)
            return self._refund(RefundStatus.SUCCEEDED, request, told)
        if not word:
            return self._refund(RefundStatus.CREATED, request, told, flags=(Flag.NOT_FOUND,))
        unknown = () if word == "REFUND_PROCESSING" else (Flag.UNKNOWN_STATUS,)
        return self._refund(RefundStatus.PENDING, request, told, flags=unknown)

    def _refund(
        self,
        status: RefundStatus,
        request: RefundRequest,
        told: Mapping[str, Any],
        *,
        flags: tuple[str, ...] = (),
    ) -> RefundResult:
        """Alipay has no number of its own for a refund: ours stands for it."""
        return RefundResult(
            status=status, provider_ref=request.out_refund_no, amount=request.amount, flags=flags, raw=_shown(told),
            provider_status=str(told.get("refund_status") or told.get("fund_change") or ""),
        )  # fmt: skip

    # --- notices, returns, bills ---

    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]:
        """The event of a notice. Raises WebhookRejected."""
        return self._reader.read_post(post)

    def acknowledge(self, *, accepted: bool = True) -> WebhookReply:
        """The seven characters that stop the repeats; anything else is repeated seven times over 25 hours."""
        body, status = (b"success", 200) if accepted else (b"fail", 400)
        return WebhookReply(body=body, status=status, content_type="text/plain")

    def read_return(self, query: str) -> notices.Returned:
        """What the verified query string of a return_url says, for display only. Raises WebhookRejected."""
        return self._reader.read_return(query)

    def statement(self, day: date) -> Sequence[StatementLine]:
        """The payments and refunds of a day in Beijing, there from nine on the next one; a day without any has no bill.

        Raises GatewayUnavailable (not ready yet, too).
        """
        name = f"bill {day.isoformat()}"
        biz = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            told = self._wire.call("alipay.data.dataservice.bill.downloadurl.query", biz, subject=name)
        except GatewayError as error:
            if error.provider_code != words.NO_BILL:
                raise
            ready = datetime.combine(day, time(), wire.BEIJING) + _BILL_READY
            if self._wire.now().astimezone(UTC) < ready:
                raise GatewayUnavailable("the bill is not ready yet", provider_code=words.NO_BILL) from error
            return ()
        return bills.read(self._wire.download(str(told.get("bill_download_url") or ""), subject=name))


def _order(request: PaymentRequest) -> dict[str, Any]:
    """The common part of biz_content. Raises GatewayMisuse, nothing sent."""
    if request.method not in words.PRODUCTS:
        raise GatewayMisuse("no such method", code=ErrorCode.METHOD_UNAVAILABLE, not_sent=True)
    if not request.capture:
        raise GatewayMisuse("Alipay takes the money at once", code=ErrorCode.NOT_SUPPORTED, not_sent=True)
    if request.amount.currency != words.CURRENCY:
        raise GatewayMisuse("Alipay takes CNY", code=ErrorCode.CURRENCY_UNSUPPORTED, not_sent=True)
    if not words.LEAST <= request.amount <= words.MOST:
        raise GatewayMisuse("0.01 to 100000000 CNY", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
    if not _NUMBER.match(request.out_trade_no):
        raise GatewayMisuse("out_trade_no: up to 64 letters, digits, _", not_sent=True)
    subject = " ".join(_NOT_IN_SUBJECT.sub(" ", request.description).split())[:128]
    order = {
        "out_trade_no": request.out_trade_no,
        "total_amount": str(request.amount.to_decimal()),
        "subject": subject or request.order_no,
    }
    if request.expires_at is not None:
        order["time_expire"] = wire.local(request.expires_at)
    return order


def _money(told: Mapping[str, Any], name: str) -> Money | None:
    """An amount of an answer in yuan; None when it is not told. Raises GatewayUnavailable for what is no amount."""
    value = told.get(name)
    if value in (None, ""):
        return None
    try:
        return Money.parse(str(value), words.CURRENCY)
    except InvalidAmount as exc:
        raise GatewayUnavailable(f"{name} is no amount", code=ErrorCode.BAD_ANSWER) from exc


def _shown(told: Mapping[str, Any]) -> Any:
    """What may be kept of an answer: nothing of the buyer's."""
    return redaction.scrub({name: told[name] for name in _SHOWN if told.get(name)})

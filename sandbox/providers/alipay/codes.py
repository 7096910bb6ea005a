"""Alipay's words: calls, trade states, business errors as an exception, and what can go wrong."""

from sandbox.faults import Kind

NAME = "alipay"

PREPARED = "PREPARED"  # ours alone: a QR code that nobody has scanned; for a caller the trade does not exist
WAITING, SUCCESS, FINISHED, CLOSED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"
WORDS = {
    PREPARED: "Waiting to be scanned",
    WAITING: "Waiting for payment",
    SUCCESS: "Paid",
    FINISHED: "Paid, refunds are over",
    CLOSED: "Closed",
}

OPENED = {"alipay.trade.page.pay": "page", "alipay.trade.wap.pay": "wap", "alipay.trade.app.pay": "app"}
CALLS = (
    "alipay.trade.precreate", "alipay.trade.query", "alipay.trade.close", "alipay.trade.cancel", "alipay.trade.refund",
    "alipay.trade.fastpay.refund.query", "alipay.data.dataservice.bill.downloadurl.query",
)  # fmt: skip
NOTICE = "post/notify"
_MOVING = ("alipay.trade.precreate", "alipay.trade.close", "alipay.trade.cancel", "alipay.trade.refund")

FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=5),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind(
        "answer_lost_after_accepting",
        "The work is done, then the connection is dropped",
        CALLS,
        usual=_MOVING,
    ),
    Kind("error_after_accepting", "The work is done, then the answer is 500", CALLS, usual=_MOVING),
    Kind("system_error", "The work is done, then the answer is ACQ.SYSTEM_ERROR", CALLS, usual=_MOVING),
    Kind("unsigned_answer", "Answers carry no signature", CALLS),
    Kind("wrong_answer_signature", "Answers carry a wrong signature", CALLS),
    Kind("wrong_amount", "Notices carry another amount", (NOTICE,)),
    Kind("wrong_signature", "Notices carry a wrong signature", (NOTICE,)),
    Kind("duplicate_webhook", "A notice arrives twice", (NOTICE,), seconds=0.5),
    Kind("late_webhook", "A notice arrives late", (NOTICE,), seconds=30),
    Kind("lost_webhook", "A notice never arrives", (NOTICE,)),
    Kind("reordered", "An older state is posted after a newer one", (NOTICE,), seconds=2),
)


class Refusal(Exception):
    """A call was refused, in Alipay's codes. `signed` False: the answer carries no signature, as for unknown callers."""

    def __init__(self, code: str, sub_code: str, sub_msg: str, *, signed: bool = True) -> None:
        super().__init__(sub_msg)
        self.code, self.sub_code, self.sub_msg, self.signed = code, sub_code, sub_msg, signed


def failed(name: str, message: str) -> Refusal:
    """A business failure, ACQ.<name>."""
    return Refusal("40004", f"ACQ.{name}", message)


def bad(field: str) -> Refusal:
    """A parameter is missing or makes no sense."""
    return failed("INVALID_PARAMETER", f"参数无效：{field}")

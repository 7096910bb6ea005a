"""WeChat Pay's words, and what can go wrong with it. From its documents; no behaviour here."""

from datetime import timedelta, timezone

from sandbox.faults import Kind

NAME = "wechatpay"
CHINA = timezone(timedelta(hours=8))
SCHEME = "WECHATPAY2-SHA256-RSA2048"
PROBE = "WECHATPAY/SIGNTEST/"
CLOCK_WINDOW = 300

TRADE_TYPES = {"native": "NATIVE", "jsapi": "JSAPI", "app": "APP", "h5": "MWEB"}
STATE_WORDS = {
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "NOTPAY": "订单未支付",
    "CLOSED": "订单已关闭",
}
AN_UNKNOWN_STATE = "SETTLING"
CODE_LIFE, H5_LIFE, FILE_LIFE = 7200, 300, 300  # seconds
#: Pauses between the attempts of a notice, in seconds: 15 attempts in about a day.
REPEATS = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)

ORDER_CALLS = ("native", "jsapi", "app", "h5")
CALLS = (
    *ORDER_CALLS, "query", "query_by_id", "close", "refund", "query_refund", "certificates", "tradebill", "billdownload",
)  # fmt: skip
WRITES = (*ORDER_CALLS, "close", "refund")
PAYMENT_POST, REFUND_POST = "post/payment", "post/refund"
POSTS = (PAYMENT_POST, REFUND_POST)

FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=5),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind("answer_lost_after_accepting", "The work is done, then the connection is dropped", CALLS, usual=WRITES),
    Kind("error_after_accepting", "The work is done, then the answer is 500", CALLS, usual=WRITES),
    Kind("rate_limited", "Calls are answered 429", CALLS),
    Kind("bad_signature", "Answers carry a wrong signature", CALLS),
    Kind("signtest", "Answers carry a probe: WECHATPAY/SIGNTEST/", CALLS),
    Kind("stale_answer", "Answers carry a stamp of ten minutes ago", CALLS),
    Kind("unknown_status", "A state that nobody knows is told", ("query",)),
    Kind("voucher", "A voucher pays one yuan: payer_total is lower"),
    Kind("not_enough", "The merchant has no money for refunds: NOT_ENOUGH", ("refund",)),
    Kind("refund_abnormal", "The payer's bank refuses the refund: ABNORMAL"),
    Kind("refund_closed", "The refund ends CLOSED"),
    Kind("duplicate_webhook", "A notice arrives twice", POSTS, seconds=0.5),
    Kind("late_webhook", "A notice arrives late", POSTS, seconds=30),
    Kind("lost_webhook", "A notice never arrives", POSTS),
    Kind("reordered", "The notice of a payment comes after that of its refund", (PAYMENT_POST,), seconds=5),
    Kind("wrong_amount", "Notices carry another amount", POSTS, usual=(PAYMENT_POST,)),
    Kind("notice_bad_signature", "Notices carry a wrong signature", POSTS),
    Kind("notice_signtest", "Notices carry a probe: WECHATPAY/SIGNTEST/", POSTS),
)  # fmt: skip

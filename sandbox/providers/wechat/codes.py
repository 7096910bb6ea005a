"""WeChat's words and errcodes for mini programs, and what can go wrong. From its documents; no behaviour here."""

from sandbox.faults import Kind

NAME = "wechat"
CODE_LIFE, TOKEN_LIFE, VISIT_LIFE = 300, 7200, 7200  # seconds

LOGIN, TOKEN = "jscode2session", "stable_token"
SHIP, TEXT, PICTURE = "upload_shipping_info", "msg_sec_check", "img_sec_check"
MESSAGE = "subscribeMessage.send"
CALLS = (LOGIN, TOKEN, SHIP, TEXT, PICTURE, MESSAGE)
WITH_TOKEN = (SHIP, TEXT, PICTURE, MESSAGE)

#: errcode -> errmsg
WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40006: "invalid meida size",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40163: "code been used",
    40226: "code blocked",
    41001: "access_token missing",
    41008: "missing code",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43101: "user refuse to accept the msg",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
    61010: "code is expired",
    87014: "risky content",
    10060001: "支付单不存在",
    10060002: "支付单已完成发货，无法继续发货",
    10060004: "支付单处于不可发货的状态",
    10060005: "物流类型有误",
    10060014: "参数错误",
    10060023: "发货信息未更新",
    10060031: "该笔支付单不属于openid所对应的用户",
}
#: What the simulated checks object to.
RISKY_WORD, REVIEW_WORD = "违禁", "待审"

FAULTS = (
    Kind("slow", "Calls are answered late", CALLS, seconds=5),
    Kind("down", "Calls are answered 503", CALLS),
    Kind("dropped", "The connection is dropped before anything is done", CALLS),
    Kind("answer_lost_after_accepting", "The work is done, then the connection is dropped", CALLS),
    Kind("busy", "Calls are answered -1: system error", CALLS),
    Kind("rate_limited", "Calls are answered 45011: too often", CALLS),
    Kind("garbage", "Calls are answered with a page instead of JSON", CALLS),
    Kind("wrong_secret", "The app's secret was replaced: 40125", (LOGIN, TOKEN)),
    Kind("code_used", "Every code counts as used: 40163", (LOGIN,)),
    Kind("blocked", "WeChat blocks the person: 40226", (LOGIN,)),
    Kind("no_unionid", "The app is not tied to an open-platform account: no unionid", (LOGIN,)),
    Kind("token_ended", "The access token is not the latest: 40001", WITH_TOKEN),
    Kind("payment_unknown", "The payment is not known yet: 10060001", (SHIP,)),
    Kind("not_subscribed", "The person has not allowed the message: 43101", (MESSAGE,)),
    Kind("risky", "Whatever is checked is risky", (TEXT, PICTURE)),
)

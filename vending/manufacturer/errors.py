"""What can go wrong at the manufacturer, typed by the answer's `code` and, for code 500, its words.

Lives here: the errors and the reading of an answer. Not here: what a service does about them (retry, staff item).
The HTTP status is 200 even for failures, so only `code` counts (the manufacturer's document, "Transport").
"""

from __future__ import annotations

import re

OK = 200
PARAMETER, TOKEN, ACCESS, SERVER = 400, 401, 403, 500


class ManufacturerError(Exception):
    """Base. `permanent`: the same call will never do. `outcome_unknown`: it may have been done: ask, then repeat.

    `code` is the manufacturer's (None when none came), `msg` its words (redacted), `trace_id` what its support asks.
    """

    permanent = False
    outcome_unknown = False

    def __init__(self, msg: str = "", *, code: int | None = None, call: str = "", trace_id: str = "") -> None:
        super().__init__(f"{call}: {msg}" if call else msg)
        self.msg, self.code, self.call, self.trace_id = msg, code, call, trace_id


class NotSent(ManufacturerError):
    """No connection was made: surely nothing was done. Repeat."""


class Unavailable(ManufacturerError):
    """Time-out, network, 5xx or an answer that is no envelope: the outcome is unknown. Ask, then repeat."""

    outcome_unknown = True


class ServerFault(Unavailable):
    """Code 500 with words that we do not know. It may have been done: ask, then repeat."""


class TokenExpired(ManufacturerError):
    """Code 401 although we have just logged in. Repeat later."""


class NoPermission(ManufacturerError):
    """Our account may not use that device (code 403, or 500 in those words)."""

    permanent = True


class DeviceUnavailable(ManufacturerError):
    """The machine is offline. Repeat."""


class PaymentUnknown(ManufacturerError):
    """It does not know that payment: repeat for a while right after the payment, later it is our mistake."""


class AccountUnknown(ManufacturerError):
    """Log-in refused: wrong account or password."""

    permanent = True


class BadParameter(ManufacturerError):
    """Code 400, 404, 405 or 415: our call is wrong."""

    permanent = True


class DuplicateThirdId(ManufacturerError):
    """It has that third_id already: an earlier call of ours got through, or another database of this account used
    the number. How it says so is unknown, so the words are matched loosely."""


_WORDS: list[tuple[re.Pattern[str], type[ManufacturerError]]] = [
    (re.compile(pattern, re.I), error)
    for pattern, error in (
        (
            r"device is unavailable|device (is )?(offline|not online)|设备.{0,4}(不可用|离线|不在线)",
            DeviceUnavailable,
        ),
        (r"no permission|没有权限|无权限", NoPermission),
        (r"payment information does not exist|支付信息不存在", PaymentUnknown),
        (r"account does not exist|password|账号.{0,4}(不存在|错误)|密码", AccountUnknown),
        (
            r"duplicate|repeat|already (exist|been|submitt|us|paid)|exists? already|must be unique|not unique|重复|已存在",
            DuplicateThirdId,
        ),
    )
]


def from_answer(code: object, msg: str, *, call: str, trace_id: str) -> ManufacturerError:
    """The error for an envelope whose `code` is not 200."""
    number = (
        code if isinstance(code, int) else int(code) if isinstance(code, str) and code.isdecimal() else None
    )
    kind: type[ManufacturerError] = ServerFault
    if number == TOKEN:
        kind = TokenExpired
    else:
        kind = next((error for words, error in _WORDS if words.search(msg)), kind)
        if kind is ServerFault and number == ACCESS:
            kind = NoPermission
        elif kind is ServerFault and number is not None and 400 <= number < 500:
            kind = BadParameter
    return kind(msg, code=number, call=call, trace_id=trace_id)

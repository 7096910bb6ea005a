"""What WeChat does with a call: who brought a code, tokens, deliveries, checks. A refusal is an errcode."""

import secrets
import time
from io import BytesIO
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from PIL import Image, ImageStat

from sandbox import database, faults
from sandbox.providers.mailbox import books as mailbox
from sandbox.providers.wechat import books, codes
from sandbox.providers.wechatpay import books as payments

LARGEST_PICTURE, WIDEST, HIGHEST = 1024 * 1024, 750, 1334


class Refusal(Exception):
    """A call was refused."""

    def __init__(self, errcode: int) -> None:
        super().__init__(codes.WORDS[errcode])
        self.errcode = errcode


def _check_app(appid: object, secret: object) -> None:
    if appid != settings.WECHAT_MINI_APP_ID:
        raise Refusal(40013)
    if not (isinstance(secret, str) and constant_time_compare(secret, settings.WECHAT_MINI_APP_SECRET)):
        raise Refusal(40125)


def log_in(query: dict[str, str]) -> dict[str, Any]:
    """Who brought the code; it is used up."""
    _check_app(query.get("appid"), query.get("secret"))
    if not query.get("js_code"):
        raise Refusal(41008)
    if query.get("grant_type") != "authorization_code":
        raise Refusal(40097)
    found = database.row("SELECT * FROM mini_codes WHERE code = ?", query["js_code"])
    if found is None or found["made"] + codes.CODE_LIFE < time.time():
        raise Refusal(40029)
    if found["used"] is not None:
        raise Refusal(40163)
    database.execute("UPDATE mini_codes SET used = ? WHERE code = ?", time.time(), query["js_code"])
    database.execute("UPDATE mini_people SET visited = ? WHERE openid = ?", time.time(), found["openid"])
    who = books.person(found["openid"])
    told = {"session_key": secrets.token_urlsafe(16) + "==", "openid": found["openid"]}
    if who is not None and who["unionid"] and not faults.strike(codes.NAME, "no_unionid", codes.LOGIN):
        told["unionid"] = who["unionid"]
    return told


def give_token(sent: dict[str, Any]) -> dict[str, Any]:
    """The stable access token."""
    _check_app(sent.get("appid"), sent.get("secret"))
    if sent.get("grant_type") != "client_credential":
        raise Refusal(40097)
    token, lives = books.access_token(force=bool(sent.get("force_refresh")))
    return {"access_token": token, "expires_in": lives}


def check_token(token: str) -> None:
    """Raises Refusal unless the access token lives."""
    if not token:
        raise Refusal(41001)
    found = database.row("SELECT * FROM mini_tokens WHERE token = ?", token)
    if found is None:
        raise Refusal(40001)
    if found["ends"] <= time.time():
        raise Refusal(42001)


def send_message(sent: dict[str, Any]) -> dict[str, Any]:
    """A subscription message; it lies in the mailbox beside the mails."""
    who = books.person(str(sent.get("touser") or ""))
    if who is None:
        raise Refusal(40003)
    template, data = sent.get("template_id"), sent.get("data")
    if not (isinstance(template, str) and template):
        raise Refusal(40037)
    values = (
        [part.get("value") for part in data.values() if isinstance(part, dict)]
        if isinstance(data, dict)
        else []
    )
    if not values or len(values) != len(data or {}) or not all(isinstance(v, str) and v for v in values):
        raise Refusal(47003)
    text = "\n".join(str(value) for value in values)
    mailbox.put_message(f"WeChat: {who['name']}", f"{template} ({sent.get('page') or '–'})", text)
    return {"errcode": 0, "errmsg": "ok"}


def ship(sent: dict[str, Any]) -> dict[str, Any]:
    """A delivery is told: once, of a paid order, by who paid it."""
    key, payer, listed = sent.get("order_key"), sent.get("payer"), sent.get("shipping_list")
    if not (
        isinstance(key, dict) and isinstance(payer, dict) and isinstance(listed, list) and len(listed) == 1
    ):
        raise Refusal(10060014)
    described = listed[0].get("item_desc") if isinstance(listed[0], dict) else None
    if not (isinstance(described, str) and 0 < len(described) <= 120 and sent.get("upload_time")):
        raise Refusal(10060014)
    if (
        key.get("order_number_type") != 1
        or key.get("mchid") != settings.WECHAT_MCH_ID
        or sent.get("delivery_mode") != 1
    ):
        raise Refusal(10060014)
    if sent.get("logistics_type") not in (3, 4):  # those that need no parcel
        raise Refusal(10060005)
    number = str(key.get("out_trade_no"))
    order = payments.order(number)
    if order is None:
        raise Refusal(10060001)
    if order["state"] != "SUCCESS":
        raise Refusal(10060004)
    if order["payer"] != payer.get("openid"):
        raise Refusal(10060031)
    row = (number, key["mchid"], payer["openid"], sent["logistics_type"], described)
    before = database.row("SELECT * FROM mini_shipments WHERE out_trade_no = ?", number)
    if before is not None:
        same = before["item_desc"] == described and before["logistics_type"] == sent["logistics_type"]
        raise Refusal(10060023 if same else 10060002)
    database.execute(
        "INSERT INTO mini_shipments (out_trade_no, mchid, openid, logistics_type, item_desc, upload_time, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *row, str(sent["upload_time"]), time.time(),
    )  # fmt: skip
    return {"errcode": 0, "errmsg": "ok"}


def check_text(sent: dict[str, Any]) -> dict[str, Any]:
    """A verdict on a text of somebody who was here within two hours."""
    content = sent.get("content")
    if "version" not in sent and isinstance(content, str):
        return _plainly(content)
    if sent.get("version") != 2 or sent.get("scene") not in (1, 2, 3, 4) or not isinstance(content, str):
        raise Refusal(40097)
    who = books.person(str(sent.get("openid")))
    if who is None or (who["visited"] or 0) + codes.VISIT_LIFE < time.time():
        raise Refusal(61010)
    if faults.strike(codes.NAME, "risky", codes.TEXT) or codes.RISKY_WORD in content:
        suggest, label = "risky", 20001
    else:
        suggest, label = ("review", 10001) if codes.REVIEW_WORD in content else ("pass", 100)
    _note("text", content[:200], suggest)
    return {
        "errcode": 0, "errmsg": "ok", "trace_id": secrets.token_hex(12),
        "result": {"suggest": suggest, "label": label}, "detail": [],
    }  # fmt: skip


def _plainly(content: str) -> dict[str, Any]:
    """Version 1: asks for nobody, knows only yes and no."""
    risky = bool(faults.strike(codes.NAME, "risky", codes.TEXT)) or codes.RISKY_WORD in content
    _note("text", content[:200], "risky" if risky else "pass")
    return {"errcode": 87014, "errmsg": codes.WORDS[87014]} if risky else {"errcode": 0, "errmsg": "ok"}


def check_picture(content: bytes) -> dict[str, Any]:
    """A verdict on a picture; here a red one is risky."""
    if not content:
        raise Refusal(41008)
    if len(content) > LARGEST_PICTURE:
        raise Refusal(40006)
    try:
        with Image.open(BytesIO(content)) as picture:
            if picture.width > WIDEST or picture.height > HIGHEST:
                raise Refusal(40006)
            red, green, blue = ImageStat.Stat(picture.convert("RGB")).mean
    except OSError as error:
        raise Refusal(40097) from error
    risky = faults.strike(codes.NAME, "risky", codes.PICTURE) or (red > 200 and green < 60 and blue < 60)
    _note("picture", f"{len(content)} bytes", "risky" if risky else "pass")
    return {"errcode": 87014, "errmsg": codes.WORDS[87014]} if risky else {"errcode": 0, "errmsg": "ok"}


def _note(kind: str, content: str, verdict: str) -> None:
    database.execute(
        "INSERT INTO mini_checks (kind, content, verdict, at) VALUES (?, ?, ?, ?)",
        kind,
        content,
        verdict,
        time.time(),
    )

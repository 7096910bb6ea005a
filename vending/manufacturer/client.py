"""The manufacturer's calls, one method each.

Lives here: headers, envelope, log-in and its renewal, reading answers into `messages`. Not here: when to call and
what follows (services), the signature (signing), the wire and the record of each call (core.http).

Guarantees: every call signs the very bytes that it sends and gives one CallRecord; an expired token is renewed once
(single flight through the token store) and the call repeated once, nothing else is ever repeated; every failure is a
ManufacturerError. Never inside a transaction (core.http refuses).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pimpshop.core import http, redaction
from vending.manufacturer import errors, messages, signing
from vending.manufacturer.messages import code_text, count, decimal, row, rows, text
from vending.manufacturer.tokens import MemoryTokenStore, TokenStore

PROVIDER = "manufacturer"
PICTURE = "23"  # file/upload's type


@dataclass(frozen=True, kw_only=True)
class Config:
    """`base_url` ends in /mobileShell/en. `timeout` (connect, read) and `deadline` are seconds."""

    base_url: str
    account: str
    password: str = field(repr=False)
    sign_key: str = field(repr=False)
    token_store: TokenStore = field(default_factory=MemoryTokenStore)
    recorder: http.Recorder | None = None
    timeout: tuple[float, float] = (3.0, 10.0)
    deadline: float = 15.0
    session: Any = None
    clock: Callable[[], datetime] | None = None


class ManufacturerClient:
    """One account at the manufacturer. `subject` labels the records of the calls (an order_no)."""

    def __init__(self, config: Config, *, subject: str = "") -> None:
        self._config = config
        self._subject = subject
        self._token = ""  # the one in use, to be removed wherever it is thrown back
        self._http = http.Client(
            config.base_url,
            provider=PROVIDER,
            timeout=config.timeout,
            deadline=config.deadline,
            session=config.session,
            recorder=config.recorder,
            inspect=_inspect,
            secrets=self._secrets,
            clock=config.clock,
        )

    def about(self, subject: str) -> ManufacturerClient:
        """The same client whose calls are recorded as being about `subject`."""
        return ManufacturerClient(self._config, subject=subject)

    def _secrets(self) -> tuple[str, ...]:
        return (self._config.password, self._config.sign_key, self._token)

    # --- log-in ---

    def login(self) -> messages.Login:
        """Log in. Raises AccountUnknown. Others go through the token store."""
        body = {"account": self._config.account, "password": self._config.password}
        data = self._read("user/login", self._post("user/login", body, token=None), row)
        login = messages.Login(id=text(data.get("id")), account=text(data.get("account")), token=_token(data))
        if not login.token:
            raise errors.Unavailable("no token in the answer", call="user/login")
        return login

    def _fresh_token(self, stale: str | None) -> str:
        try:
            return self._config.token_store.single_flight(lambda: self.login().token, stale)
        except TimeoutError as exc:
            raise errors.NotSent(str(exc), call="user/login") from exc

    # --- the catalogue ---

    def brand_list(self) -> list[messages.Brand]:
        """All brands."""
        data = self._call("brand/list", {}, rows)
        return [
            messages.Brand(
                id=text(item.get("id")), name=text(item.get("name")), e_name=text(item.get("e_name"))
            )
            for item in data
        ]

    def stock_list(self, device_id: str, brand_id: str) -> list[messages.Stock]:
        """What a machine has of a brand; [] is normal. Raises NoPermission for a foreign machine."""
        data = self._call("stock/list", {"device_id": device_id, "brand_id": brand_id}, rows)
        return [
            messages.Stock(
                **_texts(item, "mobile_model_id", "mobile_model_name", "mobile_shell_id"),
                width=decimal(item.get("width")),
                height=decimal(item.get("height")),
                stock=count(item.get("stock")),
            )
            for item in data
        ]

    def shop_list(self, page: int = 1, per_page: int = 100) -> messages.ShopPage:
        """One page of shops, counted from 1."""
        data = self._call("shop/list", {"page": page, "rows": per_page}, row)
        shops = [messages.Shop(**_texts(item, "id", "name")) for item in rows(data.get("list"))]
        return messages.ShopPage(total=count(data.get("total")), shops=tuple(shops))

    def goods_list(self, shop_id: str) -> list[messages.Goods]:
        """What a shop offers."""
        data = self._call("goods/list", {"shop_id": shop_id}, rows)
        return [messages.Goods(**_texts(item, *messages.Goods.__dataclass_fields__)) for item in data]

    # --- an order's three steps ---

    def pay_data(
        self, *, mobile_model_id: str, device_id: str, third_id: str, pay_amount: Decimal, pay_type: int
    ) -> messages.PayData:
        """Announce a payment of `pay_amount` major units under our PYEN `third_id`.

        Raises NoPermission, DuplicateThirdId, Unavailable (it may be announced all the same).
        """
        body = {
            "mobile_model_id": mobile_model_id,
            "device_id": device_id,
            "third_id": third_id,
            "pay_amount": _amount(pay_amount),
            "pay_type": int(pay_type),
        }
        return messages.PayData(**_texts(self._call("order/payData", body, row), "id", "third_id"))

    def pay_status(self, *, third_id: str, status: int | str, pay_amount: Decimal) -> None:
        """Tell the state of a payment made elsewhere (pay_type 12). The answer has no data."""
        body = {"third_id": third_id, "status": int(status), "pay_amount": _amount(pay_amount)}
        self._call("order/payStatus", body, lambda data: None)

    def get_pay_status(self, third_ids: Sequence[str]) -> list[messages.StatusOf]:
        """The payments' codes (`messages.Payment`); ids that it does not know are absent."""
        return self._statuses("order/getPayStatus", third_ids)

    def order_data(
        self,
        *,
        third_pay_id: str,
        third_id: str,
        mobile_model_id: str,
        mobile_shell_id: str,
        pic: str,
        device_id: str,
    ) -> messages.OrderData:
        """Have a paid case printed. `third_pay_id` is OUR PYEN id, never the MSPY id; `pic` a public link.

        Raises DeviceUnavailable, PaymentUnknown (both worth a retry), DuplicateThirdId, Unavailable.
        """
        body = {
            "third_pay_id": third_pay_id,
            "third_id": third_id,
            "mobile_model_id": mobile_model_id,
            "mobile_shell_id": mobile_shell_id,
            "pic": pic,
            "device_id": device_id,
        }
        data = self._call("order/orderData", body, row)
        return messages.OrderData(
            **_texts(data, "id", "third_id", "queue_no"), status=code_text(data.get("status"))
        )

    def get_order_status(self, order_ids: Sequence[str]) -> list[messages.StatusOf]:
        """The orders' codes (`messages.Order`); whether it wants OREN or MSOR ids is a setting of the callers."""
        return self._statuses("order/getOrderStatus", order_ids)

    def print_list(self, device_id: str) -> list[messages.PrintEntry]:
        """The jobs at a machine."""
        data = self._call("order/printList", {"device_id": device_id}, rows)
        return [
            messages.PrintEntry(
                **_texts(item, "id", "third_id", "mobile_model_name", "queue_no"),
                pic=text(item.get("pic"), 2048),
                status=code_text(item.get("status")),
            )
            for item in data
        ]

    def upload_file(self, content: bytes, *, filename: str = "design.png", kind: str = PICTURE) -> str:
        """Give it a picture; answers its URL there. Only the form field `type` is signed."""
        url: str = self._call(
            "file/upload", {"type": kind}, _url, files={"file": (filename, content, "image/png")}
        )
        return url

    # --- how a call is made ---

    def _statuses(self, path: str, ids: Sequence[str]) -> list[messages.StatusOf]:
        if not ids:
            return []
        data = self._call(path, list(ids), rows)
        return [
            messages.StatusOf(third_id=text(item.get("third_id")), status=code_text(item.get("status")))
            for item in data
        ]

    def _call(self, path: str, body: Any, read: Callable[[Any], Any], *, files: Any = None) -> Any:
        token = self._config.token_store.get() or self._fresh_token(None)
        try:
            answer = self._post(path, body, token=token, files=files)
        except errors.TokenExpired:
            answer = self._post(path, body, token=self._fresh_token(token), files=files)
        return self._read(path, answer, read)

    def _post(self, path: str, body: Any, *, token: str | None, files: Any = None) -> tuple[Any, str]:
        """One exchange: (`data`, trace id) of a success. Raises ManufacturerError."""
        sent = signing.dumps(body)
        headers = {"sign": signing.sign(sent, self._config.sign_key), "req_source": "en"}
        if token is not None:
            self._token = token
            headers["Authorization"] = token  # raw, without "Bearer"
        if files is None:
            headers["Content-Type"] = "application/json"
        payload: dict[str, Any] = {"body": sent.encode()} if files is None else {"form": body, "files": files}
        try:
            answer = self._http.request(
                "POST", path, name=path, headers=headers, subject=self._subject, **payload
            )
        except http.HttpError as exc:
            if exc.answer is None or _envelope(exc.answer) is None:
                kind = errors.Unavailable if exc.maybe_sent else errors.NotSent
                raise kind(f"{type(exc).__name__}: {exc}"[:300], call=path) from exc
            answer = exc.answer  # 5xx with an envelope: its code and words say more than the status
        envelope = _envelope(answer)
        trace_id = _trace_id(answer)
        if envelope is None:
            if answer.status != errors.TOKEN:
                raise errors.Unavailable(f"no envelope, status {answer.status}", call=path, trace_id=trace_id)
            envelope = {"code": errors.TOKEN}
        if code_text(envelope.get("code")) != str(errors.OK):
            words = redaction.scrub_text(text(envelope.get("msg")), secrets=self._secrets(), max_bytes=200)
            raise errors.from_answer(envelope.get("code"), words, call=path, trace_id=trace_id)
        return envelope.get("data"), trace_id

    def _read(self, path: str, answer: tuple[Any, str], read: Callable[[Any], Any]) -> Any:
        data, trace_id = answer
        try:
            return read(data)
        except messages.BadMessage as exc:  # it said 200, so it was probably done
            raise errors.Unavailable(str(exc), code=errors.OK, call=path, trace_id=trace_id) from exc


def _envelope(answer: http.Answer) -> Mapping[str, Any] | None:
    try:
        data = answer.json()
    except http.HttpBadBody:
        return None
    return data if isinstance(data, Mapping) and "code" in data else None


def _trace_id(answer: http.Answer) -> str:
    return text(answer.headers.get("tlogtraceid"), 120)


def _inspect(answer: http.Answer) -> tuple[str, str]:
    envelope = _envelope(answer)
    return code_text(envelope.get("code")) if envelope else "", _trace_id(answer)


def _texts(item: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: text(item.get(name)) for name in names}


def _token(data: Mapping[str, Any]) -> str:
    return text(data.get("token"), 8192)


def _url(data: Any) -> str:
    url = text(data, 2048)
    if not url.startswith(("http://", "https://")):
        raise messages.BadMessage("a URL was expected")
    return url


def _amount(value: Decimal) -> Decimal:
    if not isinstance(value, Decimal) or value < 0:
        raise TypeError("an amount is a Decimal of major units, not below zero")
    return value

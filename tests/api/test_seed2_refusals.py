"""Seed 2: what is refused, in the seed's codes, and that nothing happened then."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from orders.models import Order
from payments.models import PaymentIntent, Refund
from tests import factories
from tests.api.wechat_callers import ApiClient, assert_refused, of_user, with_key
from tests.support import goods, refusals, wechat_books
from tests.support.wechat_books import WechatBooks


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[WechatBooks]:
    wechat_books.put_on(settings)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield WechatBooks(mock)


@pytest.fixture
def alice(books: WechatBooks) -> Any:
    return factories.user("alice@example.com")


@pytest.fixture
def good(alice: Any) -> dict[str, Any]:
    """A request that would be answered with a code."""
    return {
        "userId": str(alice.public_id), "contentId": f"pack:{goods.pack().number}", "amount": 9.9,
        "subject": "Credits", "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    }  # fmt: skip


@pytest.fixture
def nothing_happens(books: WechatBooks) -> Iterator[Callable[[], None]]:
    """Call it when the stage is set: no row, no state and no call may be added afterwards."""

    def rows() -> list[Any]:
        kinds = (Order, PaymentIntent, Refund)
        return [list(kind.objects.order_by("pk").values_list("pk", "status")) for kind in kinds] + [
            len(books.calls)
        ]  # type: ignore[attr-defined]

    before: list[Any] = []
    yield lambda: before.append(rows())
    assert rows() == before[0]


NO_FIELD: list[tuple[str, Any]] = [
    *[(name, wrong) for name in ("userId", "contentId", "subject") for wrong in (1, True, None, ["x"], {}, "", "x" * 200, "a\x00b")],
    *[("amount", wrong) for wrong in (None, True, "", "free", "9.9 CNY", "1e3", [9.9], {}, "9" * 30)],
    *[("metadata", wrong) for wrong in ("x", ["x"], {"a": {"b": 1}}, {"a": "x" * 501}, {str(n): n for n in range(21)})],
    *[("body", wrong) for wrong in (1, ["x"], "x" * 501)],
]  # fmt: skip
NO_OPENID: list[Any] = [None, 1, "", "o penid", "x" * 129, "开放", {}]


def test_bad_fields(alice: Any, good: dict[str, Any], nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    client = of_user(alice)
    for name in ("userId", "contentId", "subject", "amount"):
        missing = {key: value for key, value in good.items() if key != name}
        assert_refused(client.post("/native", missing), 400, "PARAM_ERROR")
    for name, wrong in NO_FIELD:
        answer = client.post("/native", {**good, name: wrong})
        assert answer.status_code in (400, 429), (name, wrong, answer.content)
        if answer.status_code == 429:  # sixty a minute: the rest as somebody else would ask it
            _forget_limits()
            answer = client.post("/native", {**good, name: wrong})
        if not (name == "metadata" and wrong is None):
            assert answer.json()["code"] in ("PARAM_ERROR", "INVALID_REQUEST"), (name, wrong)
            assert answer.status_code == 400


def _forget_limits() -> None:
    from django.core.cache import cache

    cache.clear()


def test_bad_openids(alice: Any, good: dict[str, Any], nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    for wrong in NO_OPENID:
        details = assert_refused(of_user(alice).post("/jsapi", {**good, "openid": wrong}), 400, "PARAM_ERROR")
        assert set(details) == {"openid"}


@pytest.mark.parametrize("path", ["/native", "/jsapi", "/refund", "/close"])
def test_bodies_that_are_none(alice: Any, path: str, nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    client = with_key()
    for why, (raw, content_type, status) in refusals.BROKEN.items():
        if why == "huge":
            raw = b'{"userId": "' + b"x" * 300_000 + b'"}'
        answer = client.client.post(
            client.base + path, raw, content_type=content_type, headers=client.headers
        )
        assert answer.status_code == status, (why, answer.content)
        assert answer.json()["code"] == ("PARAM_ERROR" if status == 400 else "INVALID_REQUEST"), why


@pytest.mark.parametrize(
    "content",
    ["content-456", "pack:0", "pack:999999", "pack:", "pack:1e3", "pack:٣", "plan:price_none", "plan:", "case:x",
     f"case:{uuid.UUID(int=1)}", "gift:1", ":", "P20251120101112abcdef01"],
)  # fmt: skip
def test_unknown_contents(
    alice: Any, good: dict[str, Any], content: str, nothing_happens: Callable[[], None]
) -> None:
    nothing_happens()
    assert_refused(of_user(alice).post("/native", {**good, "contentId": content}), 404, "ORDERNOTEXIST")


@pytest.mark.parametrize("amount", [9.89, 9.91, 0, -9.9, 990, 0.01, 9.901, "9.900001"])
def test_another_amount(
    alice: Any, good: dict[str, Any], amount: Any, nothing_happens: Callable[[], None]
) -> None:
    nothing_happens()
    details = assert_refused(
        of_user(alice).post("/native", {**good, "amount": amount}), 400, "INVALID_REQUEST"
    )
    assert details == {"price": "9.90", "currency": "CNY"}


def test_what_has_no_price_in_yuan(
    alice: Any, good: dict[str, Any], nothing_happens: Callable[[], None]
) -> None:
    dollars, gone = goods.pack(prices={"USD": 990}), goods.pack(is_active=False)
    pounds = factories.order(user=alice, currency="GBP", total_minor=990)
    nothing_happens()
    client = of_user(alice)
    assert_refused(
        client.post("/native", {**good, "contentId": f"pack:{dollars.number}"}), 400, "INVALID_REQUEST"
    )
    assert_refused(client.post("/native", {**good, "contentId": f"pack:{gone.number}"}), 404, "ORDERNOTEXIST")
    assert_refused(client.post("/native", {**good, "contentId": pounds.order_no}), 400, "INVALID_REQUEST")


def test_other_peoples(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    """Another user id is 403; another's order and payment are not there."""
    bob = factories.user("bob@example.com")
    number = of_user(alice).post("/native", good).json()["data"]["outTradeNo"]
    rows = list(PaymentIntent.objects.values("status", "updated_at")), len(books.calls)
    thief = of_user(bob)
    assert_refused(thief.post("/native", good), 403, "NOAUTH")
    mine = {**good, "userId": str(bob.public_id), "contentId": number}
    assert_refused(thief.post("/native", mine), 404, "ORDERNOTEXIST")
    assert_refused(thief.get(f"/query/{number}"), 404, "ORDERNOTEXIST")
    assert_refused(thief.get(f"/payment/{number}"), 404, "ORDERNOTEXIST")
    assert_refused(thief.post("/close", {"outTradeNo": number}), 404, "ORDERNOTEXIST")
    owned = with_key(user=bob)
    assert_refused(owned.post("/refund", {"outTradeNo": number, "refundAmount": 1}), 404, "ORDERNOTEXIST")
    assert_refused(owned.get(f"/query/{number}"), 404, "ORDERNOTEXIST")
    assert (list(PaymentIntent.objects.values("status", "updated_at")), len(books.calls)) == rows


def test_without_a_token(good: dict[str, Any], nothing_happens: Callable[[], None]) -> None:
    nothing_happens()
    for client in (ApiClient(), ApiClient("nonsense"), ApiClient("sk_" + "x" * 40)):
        for path, sent in (("/native", good), ("/jsapi", good), ("/close", {}), ("/refund", {})):
            answer = client.post(path, sent)
            assert_refused(answer, 401, "NOAUTH")
            assert answer["WWW-Authenticate"] == "Bearer"
        assert_refused(client.get("/query/P1"), 401, "NOAUTH")
        assert_refused(client.get("/payment/P1"), 401, "NOAUTH")


def test_the_shops_own_key_acts_for_whom_it_names(alice: Any, good: dict[str, Any]) -> None:
    server = with_key()
    number = server.post("/native", {**good, "userId": str(alice.pk)}).json()["data"]["outTradeNo"]
    assert Order.objects.get(order_no=number).user == alice
    assert server.get(f"/query/{number}").json()["data"]["tradeState"] == "NOTPAY"
    assert_refused(server.post("/native", {**good, "userId": "user-123"}), 403, "NOAUTH")


def test_what_wechat_refuses(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    cases = {
        (401, "SIGN_ERROR"): (502, "SIGN_ERROR"),
        (403, "NO_AUTH"): (502, "SIGN_ERROR"),
        (400, "PARAM_ERROR"): (502, "SYSTEMERROR"),
        (500, "SYSTEM_ERROR"): (502, "SYSTEMERROR"),
        (403, "RULE_LIMIT"): (502, "SYSTEMERROR"),
    }
    for theirs, ours in cases.items():
        books.refuse["native"] = theirs
        pack = goods.pack()
        answer = of_user(alice).post("/native", {**good, "contentId": f"pack:{pack.number}"})
        assert_refused(answer, *ours)
    assert not PaymentIntent.objects.filter(status="requires_action").exists()


def test_no_answer_is_not_a_failure(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    """The same request again finds the order that had arrived, under the same number."""
    books.silent.add("native")
    answer = of_user(alice).post("/native", good)
    assert_refused(answer, 502, "SYSTEMERROR")
    assert int(answer["Retry-After"]) >= 1
    books.silent.clear()
    data = of_user(alice).post("/native", good).json()["data"]
    assert data["outTradeNo"] == PaymentIntent.objects.get().out_trade_no


def test_paid_and_closed_orders(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    client = of_user(alice)
    number = client.post("/native", good).json()["data"]["outTradeNo"]
    books.pays(number)
    assert_refused(client.post("/close", {"outTradeNo": number}), 409, "ORDERPAID")
    assert Order.objects.get().status in ("paid", "completed")
    assert_refused(client.post("/native", {**good, "contentId": number}), 409, "ORDERPAID")
    gone = client.post("/native", good).json()["data"]["outTradeNo"]
    assert gone != number
    client.post("/close", {"outTradeNo": gone})
    assert_refused(client.post("/native", {**good, "contentId": gone}), 409, "ORDERCLOSED")


@pytest.mark.parametrize("amount", [9.91, 0, -1, 100000, "x", 1.005, True, None])
def test_refunds_that_do_not_fit(alice: Any, good: dict[str, Any], books: WechatBooks, amount: Any) -> None:
    number = of_user(alice).post("/native", good).json()["data"]["outTradeNo"]
    server = with_key()
    told = {"outTradeNo": number, "refundAmount": amount}
    assert server.post("/refund", told).json()["code"] in ("INVALID_REQUEST", "PARAM_ERROR")  # nobody paid
    books.pays(number)
    server.get(f"/query/{number}")
    answer = server.post("/refund", told)
    assert (answer.status_code, answer.json()["code"]) in ((400, "INVALID_REQUEST"), (400, "PARAM_ERROR"))
    assert not Refund.objects.exists()
    assert not books.asked("refund")


def test_more_than_the_rest_is_not_refunded(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    number = of_user(alice).post("/native", good).json()["data"]["outTradeNo"]
    books.pays(number)
    server = with_key()
    server.get(f"/query/{number}")
    assert server.post("/refund", {"outTradeNo": number, "refundAmount": 9.9}).status_code == 200
    for amount in (0.01, 9.9):
        again = server.post("/refund", {"outTradeNo": number, "refundAmount": amount})
        assert_refused(again, 400, "INVALID_REQUEST")
    assert len(books.asked("refund")) == 1


def test_the_limit_says_when_to_come_back(alice: Any, good: dict[str, Any], books: WechatBooks) -> None:
    client = of_user(alice)
    for _ in range(60):
        client.post("/close", {"outTradeNo": "P0"})
    answer = client.post("/native", good)
    assert_refused(answer, 429, "RATE_LIMITED")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert not PaymentIntent.objects.exists()


def test_it_is_chinese_for_who_asks_for_it(alice: Any, books: WechatBooks) -> None:
    client = of_user(alice)
    for _ in range(60):
        client.post("/close", {"outTradeNo": "P0"})
    answer = client.post("/close", {"outTradeNo": "P0"}, **{"Accept-Language": "zh-CN"})
    assert answer.json()["error"] == "请求太频繁，请稍等片刻。"

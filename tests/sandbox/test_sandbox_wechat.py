"""The simulated WeChat of mini programs, through our client over HTTP: log-in, tokens, deliveries, checks, faults, page."""

from __future__ import annotations

import re
import time
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image

from accounts.gateways import mini_program
from tests.sandbox import wechat_shop
from tests.support.sandbox import Sandbox

APP, SECRET = "wxsandboxminiprogram", "sandbox-mini-app-secret"
PERSON = "oSbx1XiaoYu0000000000000001X"


class Tokens:
    """A token store without a database."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.renewed = 0

    def get(self) -> str | None:
        return self.token

    def single_flight(self, refresh: Any, stale: str | None) -> str:
        self.token = refresh()
        self.renewed += 1
        return self.token


def client(sandbox: Sandbox, **changes: Any) -> mini_program.MiniProgram:
    values: dict[str, Any] = {
        "app_id": APP, "app_secret": SECRET, "base_url": f"{sandbox.base_url}/wechat", "token_store": Tokens(),
    }  # fmt: skip
    return mini_program.MiniProgram(mini_program.Config(**(values | changes)))


def code(sandbox: Sandbox, **who: str) -> str:
    return str(sandbox.post("wechat/code", who)["code"])


def fault(sandbox: Sandbox, name: str, **more: Any) -> None:
    sandbox.fault(name, provider="wechat", **more)


def jpeg(colour: str = "#336699", size: tuple[int, int] = (300, 600)) -> bytes:
    drawn = BytesIO()
    Image.new("RGB", size, colour).save(drawn, "JPEG")
    return drawn.getvalue()


def test_a_code_is_a_person_once(sandbox_client: Sandbox) -> None:
    given = code(sandbox_client)
    found = client(sandbox_client).person_of(given)
    assert (found.openid, found.unionid) == (PERSON, "uSbx1XiaoYu0000000000000001X")
    with pytest.raises(mini_program.CodeRefused, match="40163"):
        client(sandbox_client).person_of(given)


def test_the_three_people_are_there_again_after_a_reset(sandbox_client: Sandbox) -> None:
    before = sandbox_client.books("wechat")["people"]
    code(sandbox_client, openid="oNEW", name="New")
    sandbox_client.reset()
    assert len(before) == 3
    assert [one["openid"] for one in sandbox_client.books("wechat")["people"]] == [
        one["openid"] for one in before
    ]
    assert {len(one["openid"]) for one in before} == {28}


@pytest.mark.parametrize(
    ("changes", "given", "errcode", "kind"),
    [
        ({}, "nosuchcode", 40029, mini_program.CodeRefused),
        ({}, "", 41008, mini_program.CodeRefused),
        ({"app_id": "wxother"}, None, 40013, mini_program.WeChatMisuse),
        ({"app_secret": "wrong-secret"}, None, 40125, mini_program.WeChatMisuse),
    ],
)
def test_who_may_not_log_in(
    sandbox_client: Sandbox, changes: Any, given: str | None, errcode: int, kind: type[Exception]
) -> None:
    wanted = code(sandbox_client) if given is None else given
    with pytest.raises(kind) as refused:
        client(sandbox_client, **changes).person_of(wanted)
    assert refused.value.errcode == errcode  # type: ignore[attr-defined]
    assert [row["used"] for row in sandbox_client.books("wechat")["codes"]] == [None] * (given is None)


@pytest.mark.parametrize(
    ("name", "kind", "errcode"),
    [
        ("busy", mini_program.WeChatUnavailable, -1),
        ("rate_limited", mini_program.WeChatUnavailable, 45011),
        ("down", mini_program.WeChatUnavailable, 0),
        ("dropped", mini_program.WeChatUnavailable, 0),
        ("garbage", mini_program.WeChatUnavailable, 0),
        ("wrong_secret", mini_program.WeChatMisuse, 40125),
        ("code_used", mini_program.CodeRefused, 40163),
        ("blocked", mini_program.CodeRefused, 40226),
    ],
)
def test_a_fault_strikes_and_the_code_is_still_good(
    sandbox_client: Sandbox, name: str, kind: type[Exception], errcode: int
) -> None:
    given = code(sandbox_client)
    fault(sandbox_client, name, count=1, target="jscode2session")
    with pytest.raises(kind) as refused:
        client(sandbox_client).person_of(given)
    assert refused.value.errcode == errcode  # type: ignore[attr-defined]
    assert client(sandbox_client).person_of(given).openid == PERSON


def test_a_lost_answer_has_used_the_code_up(sandbox_client: Sandbox) -> None:
    given = code(sandbox_client)
    fault(sandbox_client, "answer_lost_after_accepting", count=1, target="jscode2session")
    with pytest.raises(mini_program.WeChatUnavailable):
        client(sandbox_client).person_of(given)
    with pytest.raises(mini_program.CodeRefused, match="40163"):
        client(sandbox_client).person_of(given)


def test_a_slow_answer_is_away(sandbox_client: Sandbox) -> None:
    fault(sandbox_client, "slow", count=1, seconds=2)
    with pytest.raises(mini_program.WeChatUnavailable):
        client(sandbox_client, timeout=(1, 0.3), deadline=0.6).person_of(code(sandbox_client))


def test_an_app_without_an_open_platform_has_no_unionid(sandbox_client: Sandbox) -> None:
    fault(sandbox_client, "no_unionid")
    assert client(sandbox_client).person_of(code(sandbox_client)).unionid == ""


def test_the_call_log_keeps_no_secret(sandbox_client: Sandbox) -> None:
    given = code(sandbox_client)
    made = client(sandbox_client)
    made.person_of(given)
    made.allows_picture(jpeg())
    told = str(sandbox_client.calls())
    token = made._config.token_store.get()
    assert token
    assert [secret for secret in (given, SECRET, token) if secret in told] == []


def test_the_token_is_asked_for_once_and_again_when_it_ended(sandbox_client: Sandbox) -> None:
    made = client(sandbox_client)
    store: Any = made._config.token_store
    assert [made.allows_picture(jpeg()) for _ in range(3)] == [True] * 3
    assert store.renewed == 1
    fault(sandbox_client, "token_ended", count=1)
    assert made.allows_picture(jpeg())
    assert store.renewed == 2
    fault(sandbox_client, "token_ended", count=2)
    with pytest.raises(mini_program.WeChatMisuse, match="40001"):
        made.allows_picture(jpeg())


def test_checks_of_text_and_picture(sandbox_client: Sandbox) -> None:
    made = client(sandbox_client)
    plainly = [made.allows_text(text, openid=openid) for text in ("hi", "违禁") for openid in ("", PERSON)]
    assert plainly == [True, True, False, False]
    made.person_of(code(sandbox_client))
    verdicts = [made.allows_text(text, openid=PERSON) for text in ("hello", "待审", "违禁")]
    assert verdicts == [True, True, False]
    assert [made.allows_picture(jpeg(colour)) for colour in ("#336699", "#ff0000")] == [True, False]
    with pytest.raises(mini_program.WeChatMisuse, match="40006"):
        made.allows_picture(jpeg(size=(800, 800)))
    fault(sandbox_client, "risky", count=1, target="img_sec_check")
    assert [made.allows_picture(jpeg()), made.allows_picture(jpeg())] == [False, True]
    seen = [check["verdict"] for check in sandbox_client.books("wechat")["checks"]]
    assert seen[4:] == ["pass", "review", "risky", "pass", "risky", "risky", "pass"]


def _shipment(number: str, **changes: Any) -> mini_program.Shipment:
    values: dict[str, Any] = {
        "mch_id": wechat_shop.MCH_ID, "out_trade_no": number, "openid": PERSON, "logistics_type": 3,
        "description": "100 credits", "told_at": "2025-11-20T18:00:00.000+08:00",
    }  # fmt: skip
    return mini_program.Shipment(**(values | changes))


def test_a_delivery_is_told_once_after_payment(sandbox_client: Sandbox) -> None:
    number, made = f"P{time.time_ns()}", client(sandbox_client)
    with pytest.raises(mini_program.WeChatUnavailable, match="10060001"):
        made.tell_shipment(_shipment(number))
    wechat_shop.gateway(sandbox_client, "http://127.0.0.1:9").create_payment(
        wechat_shop.request(number, method="mini", payer_ref=PERSON)
    )
    with pytest.raises(mini_program.WeChatMisuse, match="10060004"):
        made.tell_shipment(_shipment(number))
    wechat_shop.pay(sandbox_client, number)
    for wrong, errcode in (({"openid": "oOTHER"}, 10060031), ({"logistics_type": 1}, 10060005), ({"description": ""}, 10060014)):  # fmt: skip
        with pytest.raises(mini_program.WeChatMisuse, match=str(errcode)):
            made.tell_shipment(_shipment(number, **wrong))
    assert [made.tell_shipment(_shipment(number)), made.tell_shipment(_shipment(number))] == [True, False]
    assert made.tell_shipment(_shipment(number, description="other")) is False
    told = sandbox_client.books("wechat")["shipments"]
    assert [(one["out_trade_no"], one["item_desc"], one["logistics_type"]) for one in told] == [
        (number, "100 credits", 3)
    ]


@pytest.mark.parametrize("query", ["", "?lang=zh"])
def test_the_page_of_people_gives_a_code(sandbox_client: Sandbox, query: str) -> None:
    with requests.Session() as browser:
        browser.trust_env = False
        url = f"{sandbox_client.base_url}/wechat/people/{query}"
        text = browser.get(url, timeout=10).text
        assert ("小程序：用户" in text, "Mini program: people" in text) == (bool(query), not query)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "openid": PERSON}
        given = re.search(r'data-code="(\w+)"', browser.post(url, data=form, timeout=10).text)
        assert given
        assert client(sandbox_client).person_of(given[1]).openid == PERSON
        new = browser.post(url, data={"csrfmiddlewaretoken": token[1], "name": "Somebody"}, timeout=10)
        assert "Somebody" in new.text
        assert browser.post(url, data=form | {"openid": "oNOBODY"}, timeout=10).status_code == 404
    assert len(sandbox_client.books("wechat")["people"]) == 4
    index = requests.get(f"{sandbox_client.base_url}/sandbox/", timeout=10).text
    assert 'href="/wechat/people/"' in index

"""Alipay simulated, driven by strangers: python-alipay-sdk, a browser's requests, a stand-in shop that hears notices."""

from __future__ import annotations

import io
import os
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import alipay as sdk
import pytest
import requests
from alipay.exceptions import AliPayException, AliPayValidationError

from tests.sandbox.conftest import StandInShop
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.sandbox
APP = "2021000000000001"


def keys() -> dict[str, str]:
    folder = Path(os.environ["SANDBOX_KEYS_DIR"])
    return {
        "app_private_key_string": (folder / "alipay_app.private.pem").read_text(),
        "alipay_public_key_string": (folder / "alipay_platform.public.pem").read_text(),
    }


@pytest.fixture
def client(sandbox_client: Sandbox, stand_in_shop: StandInShop, monkeypatch) -> sdk.AliPay:
    """The SDK as a merchant, its notices going to the stand-in shop."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    stand_in_shop.text_answers["/alipay/notify"] = (200, b"success")
    made = sdk.AliPay(appid=APP, app_notify_url=f"{stand_in_shop.url}/alipay/notify", **keys())
    made._gateway = f"{sandbox_client.base_url}/alipay/gateway.do"
    return made


@pytest.fixture
def notices(client: sdk.AliPay, stand_in_shop: StandInShop) -> Any:
    """Wait for so many notices; each verified by the SDK."""

    def wait(count: int, *, seconds: float = 30) -> list[dict[str, str]]:
        deadline = time.monotonic() + seconds
        while len(stand_in_shop.posts("/alipay/notify")) < count:
            assert time.monotonic() < deadline, f"{len(stand_in_shop.seen)} seen"
            time.sleep(0.05)
        found = []
        for body in stand_in_shop.posts("/alipay/notify"):
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
            assert client.verify({k: v for k, v in fields.items() if k != "sign"}, fields["sign"])
            found.append(fields)
        return found

    return wait


def do(sandbox: Sandbox, number: str, verb: str, **body: object) -> dict[str, Any]:
    return sandbox._post(f"alipay/trades/{number}/{verb}", body)["trade"]


def books(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox._get("books", provider="alipay")


def refused(call: Any, *args: Any, **kwargs: Any) -> str:
    told = call(*args, **kwargs)
    assert told["code"] == "40004"
    return str(told["sub_code"])


def test_a_qr_code_is_scanned_paid_and_noticed(client, sandbox_client, notices):
    made = client.api_alipay_trade_precreate("壳 & more", "P1", "19.99")
    assert made["qr_code"].startswith("https://qr.alipay.com/bax")
    assert refused(client.api_alipay_trade_query, "P1") == "ACQ.TRADE_NOT_EXIST"
    assert refused(client.api_alipay_trade_close, "P1") == "ACQ.TRADE_NOT_EXIST"
    do(sandbox_client, "P1", "pay")
    told = client.api_alipay_trade_query("P1")
    assert (told["trade_status"], told["total_amount"]) == ("TRADE_SUCCESS", "19.99")
    (notice,) = notices(1)
    assert (notice["trade_status"], notice["out_trade_no"], notice["total_amount"]) == (
        "TRADE_SUCCESS",
        "P1",
        "19.99",
    )
    assert (notice["trade_no"], notice["subject"]) == (told["trade_no"], "壳 & more")


def test_the_same_number_is_the_same_trade_and_another_amount_is_refused(client, sandbox_client):
    first = client.api_alipay_trade_precreate("a", "P1", "1.00")
    assert client.api_alipay_trade_precreate("a", "P1", "1.00") == first
    assert refused(client.api_alipay_trade_precreate, "a", "P1", "1.01") == "ACQ.CONTEXT_INCONSISTENT"
    do(sandbox_client, "P1", "pay")
    assert refused(client.api_alipay_trade_precreate, "a", "P1", "1.00") == "ACQ.TRADE_HAS_SUCCESS"
    assert len(books(sandbox_client)["trades"]) == 1


@pytest.mark.parametrize("amount", ["0", "0.001", "100000000.01", "x", "-1.00", "NaN"])
def test_an_amount_must_be_one(client, sandbox_client, amount):
    assert refused(client.api_alipay_trade_precreate, "a", "P1", amount) == "ACQ.INVALID_PARAMETER"
    assert books(sandbox_client)["trades"] == []


def test_part_and_rest_are_given_back_once_each(client, sandbox_client, notices):
    client.api_alipay_trade_precreate("a", "P1", "10.00")
    assert refused(client.api_alipay_trade_refund, "1.00", "P1", out_request_no="R1") == "ACQ.TRADE_NOT_EXIST"
    do(sandbox_client, "P1", "pay")
    assert client.api_alipay_trade_fastpay_refund_query("R1", out_trade_no="P1") == {
        "code": "10000",
        "msg": "Success",
    }
    first = client.api_alipay_trade_refund("4.00", "P1", out_request_no="R1")
    assert (first["fund_change"], first["refund_fee"]) == ("Y", "4.00")
    again = client.api_alipay_trade_refund("4.00", "P1", out_request_no="R1")
    assert (again["fund_change"], again["refund_fee"]) == ("N", "4.00")
    refuse = client.api_alipay_trade_refund
    assert refused(refuse, "4.01", "P1", out_request_no="R1") == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert refused(refuse, "6.01", "P1", out_request_no="R2") == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert refused(refuse, "6.00", "P1") == "ACQ.INVALID_PARAMETER"
    rest = client.api_alipay_trade_refund("6.00", "P1", out_request_no="R2")
    assert (rest["fund_change"], rest["refund_fee"]) == ("Y", "10.00")
    assert client.api_alipay_trade_query("P1")["trade_status"] == "TRADE_CLOSED"
    found = client.api_alipay_trade_fastpay_refund_query("R2", out_trade_no="P1")
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "6.00")
    told = [(n["trade_status"], n.get("refund_fee"), n.get("out_biz_no")) for n in notices(3)]
    assert sorted(told, key=str) == sorted(
        [("TRADE_SUCCESS", None, None), ("TRADE_SUCCESS", "4.00", "R1"), ("TRADE_CLOSED", "10.00", "R2")], key=str
    )  # fmt: skip


def test_close_and_cancel(client, sandbox_client, notices):
    page = client.api_alipay_trade_page_pay("a", "P1", "1.00")
    sandbox_client._post("alipay/open", {"order": page})
    assert client.api_alipay_trade_close("P1")["out_trade_no"] == "P1"
    assert refused(client.api_alipay_trade_close, "P1") == "ACQ.TRADE_HAS_CLOSE"
    with pytest.raises(requests.HTTPError):
        do(sandbox_client, "P1", "pay")
    assert notices(1)[0]["trade_status"] == "TRADE_CLOSED"
    client.api_alipay_trade_precreate("a", "P2", "1.00")
    do(sandbox_client, "P2", "pay")
    assert refused(client.api_alipay_trade_close, "P2") == "ACQ.TRADE_STATUS_ERROR"
    assert client.api_alipay_trade_cancel("P2")["action"] == "refund"
    assert client.api_alipay_trade_query("P2")["trade_status"] == "TRADE_CLOSED"
    assert "action" not in client.api_alipay_trade_cancel("P3")


def test_after_its_end_nobody_pays(client, sandbox_client):
    late = client.api_alipay_trade_precreate("a", "P1", "1.00", time_expire="2020-01-01 00:00:00")
    assert late["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert books(sandbox_client)["trades"] == []
    ends = int(time.time()) + 900
    china = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ends + 8 * 3600))
    page = client.api_alipay_trade_page_pay("a", "P1", "1.00", time_expire=china)
    sandbox_client._post("alipay/open", {"order": page})
    assert [trade["expires"] for trade in books(sandbox_client)["trades"]] == [ends]
    sandbox_client._post("hurry", {})
    deadline = time.monotonic() + 30
    while client.api_alipay_trade_query("P1")["trade_status"] != "TRADE_CLOSED":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with pytest.raises(requests.HTTPError):
        do(sandbox_client, "P1", "pay")


def test_finished_is_beyond_refunds(client, sandbox_client):
    client.api_alipay_trade_precreate("a", "P1", "1.00")
    do(sandbox_client, "P1", "pay")
    do(sandbox_client, "P1", "finish")
    assert (
        refused(client.api_alipay_trade_refund, "1.00", "P1", out_request_no="R") == "ACQ.TRADE_HAS_FINISHED"
    )


# --- the browser ---


def browse(url: str, **kwargs: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=10, **kwargs)


@pytest.mark.parametrize("way", ["page", "wap"])
def test_a_browser_confirms_and_is_led_back_signed(client, sandbox_client, stand_in_shop, way):
    order = getattr(client, f"api_alipay_trade_{way}_pay")(
        "壳", "P1", "19.99", return_url=f"{stand_in_shop.url}/back?order=7"
    )
    with requests.Session() as browser:
        browser.trust_env = False
        cashier = browser.get(f"{client._gateway}?{order}", timeout=10)
        assert "form-action 'self'" in cashier.headers["Content-Security-Policy"]
        assert 'data-amount="19.99"' in cashier.text
        assert "no money moves" in cashier.text
        assert client.api_alipay_trade_query("P1")["trade_status"] == "WAIT_BUYER_PAY"
        token = cashier.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        result = browser.post(f"{cashier.url}confirm/", data={"csrfmiddlewaretoken": token}, timeout=10)
    assert client.api_alipay_trade_query("P1")["trade_status"] == "TRADE_SUCCESS"
    back = result.text.split('href="')[-1].split('" data-back')[0].replace("&amp;", "&")
    assert back.startswith(f"{stand_in_shop.url}/back?")
    assert 'http-equiv="refresh"' in result.text
    fields = dict(parse_qsl(urlsplit(back).query, keep_blank_values=True))
    assert (fields["order"], fields["out_trade_no"], fields["total_amount"]) == ("7", "P1", "19.99")
    assert "trade_status" not in fields
    assert client.verify({k: v for k, v in fields.items() if k != "sign"}, fields["sign"])
    assert browse(cashier.url).url.endswith("/result/")


def test_not_now_leaves_the_trade_waiting(client, stand_in_shop):
    order = client.api_alipay_trade_page_pay("a", "P1", "1.00", return_url=f"{stand_in_shop.url}/back")
    cashier = browse(f"{client._gateway}?{order}")
    assert f'href="{stand_in_shop.url}/back"' in cashier.text
    assert client.api_alipay_trade_query("P1")["trade_status"] == "WAIT_BUYER_PAY"


def test_a_tampered_page_is_refused_in_words(client, sandbox_client):
    order = client.api_alipay_trade_page_pay("a", "P1", "19.99")
    answer = browse(f"{client._gateway}?{order.replace('19.99', '0.01')}")
    assert answer.status_code == 400
    assert "isv.invalid-signature" in answer.text
    assert books(sandbox_client)["trades"] == []


def test_the_list_leads_to_what_waits(client, sandbox_client):
    client.api_alipay_trade_precreate("iPhone case", "P1", "19.99")
    found = browse(f"{sandbox_client.base_url}/alipay/")
    assert 'data-out-trade-no="P1" data-status="PREPARED"' in found.text
    cashier = sandbox_client.base_url + found.text.split('class="button small" href="')[1].split('"')[0]
    assert 'data-kind="cashier"' in browse(cashier).text
    part = browse(f"{sandbox_client.base_url}/alipay/part/")
    assert 'data-status="WAIT_BUYER_PAY"' in part.text
    again = browse(f"{sandbox_client.base_url}/alipay/part/", params={"have": part.headers["X-State"]})
    assert again.status_code == 204
    assert "支付宝付款" in browse(f"{sandbox_client.base_url}/alipay/", params={"lang": "zh"}).text


# --- the front door and the faults ---


def test_an_unknown_application_gets_an_unsigned_answer(client):
    client._appid = "2021000000000099"
    with pytest.raises(AliPayException) as caught:
        client.api_alipay_trade_query("P1")
    assert "isv.invalid-app-id" in str(caught.value)


def test_a_foreign_key_is_refused(client):
    client._app_private_key = sdk.RSA.generate(2048)
    told = client.api_alipay_trade_query("P1")
    assert (told["code"], told["sub_code"]) == ("40002", "isv.invalid-signature")


def test_answers_can_lose_their_signature_or_carry_a_wrong_one(client, sandbox_client):
    sandbox_client.fault("unsigned_answer", provider="alipay", count=1)
    with pytest.raises(AliPayException):
        client.api_alipay_trade_query("P1")
    sandbox_client.fault("wrong_answer_signature", provider="alipay", count=1)
    with pytest.raises(AliPayValidationError):
        client.api_alipay_trade_query("P1")
    assert refused(client.api_alipay_trade_query, "P1") == "ACQ.TRADE_NOT_EXIST"


def test_a_notice_is_repeated_until_success(client, sandbox_client, stand_in_shop, notices):
    stand_in_shop.text_answers["/alipay/notify"] = (200, b"success\n")
    client.api_alipay_trade_precreate("a", "P1", "1.00")
    do(sandbox_client, "P1", "pay")
    notices(2)
    stand_in_shop.text_answers["/alipay/notify"] = (200, b"success")
    deadline = time.monotonic() + 30
    while not books(sandbox_client)["notices"][0]["acknowledged"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len({found["notify_id"] for found in notices(3)}) == 1


def test_a_notice_comes_twice_late_wrong_or_not_at_all(client, sandbox_client, stand_in_shop, notices):
    for name in ("wrong_amount", "duplicate_webhook", "reordered"):
        sandbox_client.fault(name, provider="alipay", count=1, seconds=0.2)
    client.api_alipay_trade_precreate("a", "P1", "1.00")
    do(sandbox_client, "P1", "pay")
    found = notices(3)
    assert {n["total_amount"] for n in found} == {"2.00"}
    assert sorted(n["trade_status"] for n in found) == ["TRADE_SUCCESS", "TRADE_SUCCESS", "WAIT_BUYER_PAY"]
    sandbox_client.fault("lost_webhook", provider="alipay", count=1)
    client.api_alipay_trade_precreate("a", "P2", "1.00")
    do(sandbox_client, "P2", "pay")
    assert [n["lost"] for n in books(sandbox_client)["notices"] if n["out_trade_no"] == "P2"] == [1]


def bill_of(moment: float) -> tuple[str, dict[str, str]]:
    """The call that asks for the bill of that moment's day in China."""
    day = time.strftime("%Y-%m-%d", time.gmtime(moment + 8 * 3600))
    return "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": day}


def test_a_bill_is_a_zip_in_gbk(client, sandbox_client):
    assert refused(client.server_api, *bill_of(time.time())) == "isp.bill_not_exist"
    client.api_alipay_trade_precreate("壳", "P1", "10.00")
    do(sandbox_client, "P1", "pay")
    client.api_alipay_trade_refund("4.00", "P1", out_request_no="R1")
    paid, back = books(sandbox_client)["trades"][0]["paid"], books(sandbox_client)["refunds"][0]["at"]
    rows, calls = [], [bill_of(paid), bill_of(back)]
    for call in calls if calls[0] != calls[1] else calls[:1]:  # two bills when it was midnight between them
        link = client.server_api(*call)["bill_download_url"]
        with (
            urllib.request.urlopen(link, timeout=10) as answer,
            zipfile.ZipFile(io.BytesIO(answer.read())) as archive,
        ):
            text = archive.read(archive.infolist()[0]).decode("gbk")
        found = [line.replace("\t", "").split(",") for line in text.splitlines() if not line.startswith("#")]
        rows += found[1:]
    assert [(row[2], row[11], row[21]) for row in rows] == [
        ("交易", "10.00", ""),
        ("退款", "-4.00", "R1"),
    ]
    assert browse(link[:-5] + "x.zip").status_code == 404

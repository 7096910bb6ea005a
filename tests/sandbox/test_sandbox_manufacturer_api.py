"""The manufacturer's API as the shop sees it: envelope, checks, catalogue, the calls of an order."""

import io
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image

from sandbox.providers.manufacturer import signing
from tests.sandbox.conftest import DEVICE, MODEL, SHELL, Partner, StandInShop
from tests.support.sandbox import Sandbox

BRAND = "BR20250111000002"


def paid(partner: Partner, third_id: str) -> None:
    """A machine payment that is paid."""
    assert partner.pay_data(third_id)["code"] == 200
    partner.sandbox.pay(DEVICE, third_id=third_id, method="cash")


def test_login_and_envelope(sandbox_client: Sandbox) -> None:
    partner = Partner(sandbox_client)
    answer = partner.raw("user/login", {"account": Sandbox.ACCOUNT, "password": Sandbox.PASSWORD})
    told = answer.json()
    assert (told["msg"], told["code"], told["data"]["account"]) == ("操作成功", 200, "pimpshop")
    assert answer.headers["tlogTraceId"]
    wrong = partner.call("user/login", {"account": Sandbox.ACCOUNT, "password": "guess"})
    assert wrong == {"msg": "The merchant account does not exist", "code": 500}
    logged = str(sandbox_client.calls("user/login"))
    assert Sandbox.PASSWORD not in logged
    assert told["data"]["token"] not in logged


@pytest.mark.parametrize(
    ("headers", "code", "verdict"),
    [
        ({"sign": "0" * 32}, 403, "bad"),
        ({"sign": None}, 403, "unsigned"),
        ({"req_source": None}, 400, "good"),
        ({"Authorization": "made-up"}, 401, "good"),
        ({"Content-Type": "text/plain"}, 415, ""),
    ],
)
def test_headers_are_checked(partner: Partner, headers: dict[str, Any], code: int, verdict: str) -> None:
    answer = partner.raw("brand/list", {}, **headers)
    assert answer.status_code == 200
    assert answer.json()["code"] == code
    assert "data" not in answer.json()
    assert partner.sandbox.calls("brand/list")[0]["verdict"] == verdict


def test_an_expired_token_is_refused(partner: Partner) -> None:
    partner.sandbox.knobs(token_minutes=0)
    assert partner.login().call("brand/list", {})["code"] == 401
    partner.sandbox.knobs(token_minutes=1440)
    assert partner.login().call("brand/list", {})["code"] == 200


def test_catalogue(partner: Partner) -> None:
    brands = partner.call("brand/list", {})["data"]
    assert brands[0] == {"id": BRAND, "name": "苹果", "e_name": "iphone"}
    assert [brand["e_name"] for brand in brands] == ["iphone", "samsung", "huawei", "xiaomi"]
    stock = [row for b in brands for row in
             partner.call("stock/list", {"device_id": DEVICE, "brand_id": b["id"]})["data"]]  # fmt: skip
    known = next(row for row in stock if row["mobile_shell_id"] == SHELL)
    assert known == {
        "mobile_model_id": MODEL, "mobile_model_name": "iPhone 15 Pro", "mobile_shell_id": SHELL,
        "width": "73.24", "height": "149.27", "stock": 40,
    }  # fmt: skip
    assert len({row["mobile_model_id"] for row in stock}) >= 13
    assert len({row["mobile_shell_id"] for row in stock}) == len(stock)
    assert all(60 < Decimal(row["width"]) < 90 < Decimal(row["height"]) < 175 for row in stock)
    shops = partner.call("shop/list", {"page": 1, "rows": 10})["data"]
    assert shops["total"] == len(shops["list"]) == 2
    goods = partner.call("goods/list", {"shop_id": shops["list"][0]["id"]})["data"]
    assert {row["mobile_shell_id"] for row in goods} == {row["mobile_shell_id"] for row in stock}
    assert set(goods[0]) == {
        "id", "shop_id", "shell_classify_id", "shell_classify_ename", "mobile_shell_id", "mobile_shell_name",
        "mobile_shell_sku", "mobile_model_id", "mobile_model_name", "brand_id", "brand_ename",
    }  # fmt: skip
    strange = partner.call("stock/list", {"device_id": "NOT_OURS", "brand_id": BRAND})
    assert strange == {"msg": "No permission to access the current device", "code": 500}
    assert partner.call("stock/list", {"device_id": DEVICE, "brand_id": "BR0"})["data"] == []


def test_pay_data(partner: Partner) -> None:
    told = partner.pay_data("PYEN250830540573")
    assert told["data"]["id"].startswith("MSPY10")
    assert told["data"]["third_id"] == "PYEN250830540573"
    again = partner.pay_data("PYEN250830540573")
    assert again == {"msg": "third_id already exists", "code": 500}
    partner.sandbox.fault("duplicate_id_accepted")
    assert partner.pay_data("PYEN250830540573")["data"] == told["data"]
    assert len(partner.sandbox.books()["payments"]) == 1


@pytest.mark.parametrize("amount", ["0", "-1", "19.999", '"19.99"', "1e3", "null", "true"])
def test_an_amount_that_is_no_amount(partner: Partner, amount: str) -> None:
    assert partner.pay_data("PYEN250830000001", amount=amount)["code"] == 400
    assert partner.sandbox.books()["payments"] == []


def test_pay_status_is_for_online_payments_only(partner: Partner) -> None:
    partner.pay_data("PYEN250830000001", pay_type=5)
    refused = partner.call(
        "order/payStatus", {"third_id": "PYEN250830000001", "status": 3, "pay_amount": 19.99}
    )
    assert refused["code"] == 403
    partner.pay_data("PYEN250830000002", pay_type=12)
    wrong = partner.call("order/payStatus", {"third_id": "PYEN250830000002", "status": 3, "pay_amount": 1})
    assert wrong["code"] == 400
    ids = ["PYEN250830000001", "PYEN250830000002", "PYEN250830999999"]
    states = [{"third_id": ids[0], "status": 1}, {"third_id": ids[1], "status": 1}]
    assert partner.call("order/getPayStatus", ids)["data"] == states
    done = partner.call("order/payStatus", {"third_id": "PYEN250830000002", "status": 3, "pay_amount": 19.99})
    assert done == {"msg": "操作成功", "code": 200}  # no data
    assert partner.call("order/getPayStatus", ids)["data"] == [states[0], {"third_id": ids[1], "status": 3}]


def test_order_data_wants_our_own_payment_id_and_a_paid_payment(
    partner: Partner, stand_in_shop: StandInShop
) -> None:
    pic = f"{stand_in_shop.url}/p/case.png"
    mspy = partner.pay_data("PYEN250830000001")["data"]["id"]
    missing = {"msg": "Payment information does not exist", "code": 500}
    assert partner.order_data("OREN250830000001", "PYEN250830000001", pic) == missing  # not paid
    partner.sandbox.pay(DEVICE, method="card")
    assert partner.order_data("OREN250830000001", mspy, pic) == missing  # their id
    assert partner.sandbox.books()["orders"] == []
    told = partner.order_data("OREN250830000001", "PYEN250830000001", pic)["data"]
    assert told["id"].startswith("MSOR10")
    assert told["status"] == 4
    assert len(told["queue_no"]) == 4
    assert told["queue_no"].isdigit()
    again = partner.order_data("OREN250830000001", "PYEN250830000001", pic)
    assert again == {"msg": "third_id already exists", "code": 500}
    second = partner.order_data("OREN250830000002", "PYEN250830000001", pic)
    assert second == {"msg": "The payment already has an order", "code": 500}
    assert len(partner.sandbox.books()["orders"]) == 1
    listed = partner.call("order/printList", {"device_id": DEVICE})["data"]
    assert [(row["third_id"], row["pic"], row["queue_no"]) for row in listed] == [
        ("OREN250830000001", pic, told["queue_no"])
    ]


def test_which_order_id_get_order_status_knows_is_a_knob(
    partner: Partner, stand_in_shop: StandInShop
) -> None:
    partner.sandbox.fault("printer_out")
    paid(partner, "PYEN250830000001")
    msor = partner.order_data("OREN250830000001", "PYEN250830000001", f"{stand_in_shop.url}/a.png")["data"][
        "id"
    ]
    assert partner.call("order/getOrderStatus", ["OREN250830000001"])["data"] == [
        {"third_id": "OREN250830000001", "status": 4}
    ]
    assert partner.call("order/getOrderStatus", [msor])["data"] == []
    partner.sandbox.knobs(order_id_kind="msor")
    assert len(partner.call("order/getOrderStatus", [msor])["data"]) == 1


def test_upload_signs_the_type_only(partner: Partner) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (4, 4)).save(drawn, "PNG")
    headers = {"req_source": "en", "Authorization": partner.token}
    for kind, sign, code in (
        ("23", signing.sign({"type": "23"}, Sandbox.SIGN_KEY), 200),
        ("23", "0" * 32, 403),
    ):
        answer = partner.http.post(
            f"{partner.sandbox.manufacturer_url}/file/upload",
            data={"type": kind}, files={"file": ("a.png", drawn.getvalue(), "image/png")},
            headers=headers | {"sign": sign}, timeout=10,
        ).json()  # fmt: skip
        assert answer["code"] == code
        if code == 200:
            assert partner.http.get(answer["data"], timeout=10).content == drawn.getvalue()


def test_unknown_paths_and_methods_stay_in_the_envelope(partner: Partner) -> None:
    assert partner.call("order/refund", {})["code"] == 404
    got = partner.http.get(f"{partner.sandbox.manufacturer_url}/brand/list", timeout=10)
    assert (got.status_code, got.json()["code"]) == (200, 405)

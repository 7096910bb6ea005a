"""Seed 5 at every gateway, against the running simulators: the same bodies in, the same shapes out."""

from __future__ import annotations

from typing import Any

import pytest

from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent, SavedPaymentMethod
from payments.services import requests
from pimpshop.core.models import StaffItem
from pimpshop.core.money import Money
from tests import factories
from tests.support import seed5
from tests.support.sandbox import Sandbox, sandbox_client, sandbox_server
from tests.support.seed5 import PAYMENTS, Caller, assert_error
from tests.support.shop import assert_invariants

__all__ = ["sandbox_client", "sandbox_server"]

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]


@pytest.fixture
def server(db: None, settings: Any, sandbox_client: Sandbox) -> Any:
    base = sandbox_client.base_url
    settings.STRIPE_API_BASE = f"{base}/stripe"
    settings.AIRWALLEX_API_BASE = f"{base}/airwallex"
    settings.WECHAT_GATEWAY = f"{base}/wechatpay"
    settings.ALIPAY_GATEWAY = f"{base}/alipay/gateway.do"
    yield seed5.server()
    assert_invariants()


def yuan(caller: Caller, gateway: str, means: Any) -> Any:
    return caller.pay(gateway_id=gateway, amount="19.99", currency="CNY", payment_method=means)


@pytest.mark.parametrize("gateway", ["stripe", "airwallex"])
def test_a_card_is_paid_and_given_back(server: Caller, gateway: str) -> None:
    told = server.pay(gateway_id=gateway).json()
    assert (told["type"], told["payment_status"], told["payment_method"]["last_four"]) == (
        "success",
        "succeeded",
        "4242",
    )
    one = f"{PAYMENTS}/{told['payment_id']}"
    back = server.post(f"{one}/refund", {"amount": "10.00"}).json()
    assert (back["amount"], back["status"] in ("pending", "succeeded")) == ("10.00", True)
    assert server.get(one).json()["gateway"] == gateway


@pytest.mark.parametrize("gateway", ["stripe", "airwallex"])
def test_a_hold_is_taken_or_given_back(server: Caller, gateway: str) -> None:
    for verb, status in (("capture", "succeeded"), ("cancel", "canceled")):
        told = server.pay(gateway_id=gateway, capture=False).json()
        assert told["payment_status"] == "authorized"
        assert server.post(f"{PAYMENTS}/{told['payment_id']}/{verb}").json()["status"] == status


def test_a_part_is_taken_after_too_much_was_refused(server: Caller) -> None:
    """A request_id is used up by a call that Airwallex refuses."""
    told = server.pay(gateway_id="airwallex", capture=False).json()
    gateway, intent = registry.get("airwallex"), PaymentIntent.objects.get()
    with pytest.raises(base.GatewayDeclined):
        gateway.capture_payment(requests.payment_ref(intent), Money(99_99 * 2, "USD"))
    answer = server.post(f"{PAYMENTS}/{told['payment_id']}/capture", {"amount": "20.00"})
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    intent.refresh_from_db()
    assert intent.captured_minor == 2000


def test_a_kept_consent_pays_for_its_owner_alone_whatever_it_is_called(server: Caller) -> None:
    """Airwallex takes a consent from whoever knows its id, and anybody may send a token."""
    alice, bob = factories.user(), factories.user()
    kept = seed5.shopper(alice).post("/api/v2/payment-methods", {
        "gateway_id": "airwallex", "payment_method_data": seed5.card(),
    })  # fmt: skip
    assert kept.status_code == 200, kept.content
    consent = SavedPaymentMethod.objects.get().method_ref
    assert consent.startswith("cst_")
    means = {"gateway_id": "airwallex", "payment_method": {"type": "token", "token": consent}}
    for caller in (seed5.server(user=bob), server):
        answer = caller.pay(**means, **({"customer_id": str(bob.public_id)} if caller is server else {}))
        assert_error(answer, 404, "PAYMENT_METHOD_NOT_FOUND")
    assert PaymentIntent.objects.count() == 0
    mine = seed5.server(user=alice).pay(**means).json()
    assert (mine["payment_status"], mine["payment_method"]["token"]) == (
        "succeeded", SavedPaymentMethod.objects.get().token,
    )  # fmt: skip


@pytest.mark.parametrize(("flow", "action", "kind"), [
    ("", "qr_code", "qr_code"), ("native", "qr_code", "qr_code"), ("app", "client_params", "client_params"),
])  # fmt: skip
def test_wechat_pay(server: Caller, flow: str, action: str, kind: str) -> None:
    means = {"type": "wechat_pay", **({"wechat_pay": {"flow": flow}} if flow else {})}
    answer = yuan(server, "wechatpay", means)
    told = answer.json()
    assert (answer.status_code, told["type"], told["action_type"]) == (200, "requires_action", action), told
    assert told["action_data"]["type"] == kind
    if kind == "qr_code":
        assert told["action_data"]["qr_code"]
    one = f"{PAYMENTS}/{told['payment_id']}"
    read = server.get(one).json()
    assert (read["status"], read["payment_method"]["method_type"]) == ("requires_action", "wechat_pay")
    assert server.post(f"{one}/cancel").json()["status"] == "canceled"


@pytest.mark.parametrize("part", [
    {"flow": "jsapi"}, {"flow": "mini"}, {"flow": "mini", "openid": "no openid/"}, {"flow": "native", "openid": "a b"},
])  # fmt: skip
def test_a_payer_inside_wechat_has_an_openid(server: Caller, part: dict[str, str]) -> None:
    """WeChat Pay would refuse it as our fault, and staff were told so: by anybody with a key of a page."""
    answer = yuan(server, "wechatpay", {"type": "wechat_pay", "wechat_pay": part})
    error = assert_error(answer, 400, "INVALID_PAYMENT_METHOD")
    assert list(error["fields"]) == ["wechat_pay.openid"]
    assert (PaymentIntent.objects.count(), StaffItem.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("flow", "action"), [("page", "redirect"), ("wap", "redirect"), ("precreate", "qr_code")]
)
def test_alipay(server: Caller, flow: str, action: str) -> None:
    answer = yuan(server, "alipay", {"type": "alipay", "alipay": {"flow": flow}})
    told = answer.json()
    assert (answer.status_code, told["type"], told["action_type"]) == (200, "requires_action", action), told
    if action == "redirect":
        assert told["action_data"]["redirect_url"].startswith("http")
    assert PaymentIntent.objects.get().method == flow


def test_an_app_of_the_payers_is_not_confirmed_here(server: Caller) -> None:
    told = yuan(server, "alipay", None).json()
    assert told["action_type"] == "redirect"
    answer = server.post(f"{PAYMENTS}/{told['payment_id']}/confirm", {"payment_method": {"type": "alipay"}})
    assert_error(answer, 400, "INVALID_PAYMENT_METHOD")


def test_3ds_at_airwallex_has_the_seeds_shape(server: Caller) -> None:
    told = server.pay(
        "4000002500003155", gateway_id="airwallex", return_url="http://127.0.0.1:8000/done"
    ).json()
    assert (told["type"], told["action_type"]) == ("requires_action", "three_d_secure")
    data = told["action_data"]
    assert set(data) == {"type", "stripe_js", "redirect_url", "method", "fields"}
    assert (data["type"], data["redirect_url"].startswith("http")) == ("three_d_secure_redirect", True)


def test_a_payment_of_airwallex_is_completed_by_asking(server: Caller) -> None:
    told = server.pay(gateway_id="airwallex").json()
    done = server.post(
        f"{PAYMENTS}/{told['payment_id']}/complete",
        {"action_data": {"payment_intent": told["transaction_id"]}},
    )
    assert (done.status_code, done.json()["payment_status"]) == (200, "succeeded")

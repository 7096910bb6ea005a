"""Rows for tests: small plain functions with sensible defaults, unique where the tables want it.

Here: rows only. Not here: flows (tests/flows), outside answers (tests/support). Each function takes overrides as
keyword arguments and answers the saved row; what a row needs below it is made unless it is given. Amounts are minor
units, sizes millimetres, times aware UTC. Nothing is random, so that a failure can be repeated.
"""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import F
from django.utils import timezone

from accounts.models import ApiKey, User, UserToken, WeChatIdentity
from accounts.services import api_keys, tokens
from catalog.models import (
    CaseProduct,
    Colour,
    Design,
    DesignTemplate,
    PhoneBrand,
    PhoneModel,
    Photo,
    Price,
    Shell,
)
from credits.models import CreditAccount, PlanTerm, Posting
from credits.services import ledger, terms
from orders.models import Order, OrderLine
from payments.models import (
    OutboundEvent,
    PaymentIntent,
    Refund,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from pimpshop.core import crypto
from pimpshop.core.states import remark
from vending.models import Machine, PrintJob, StockLevel, VendingSession

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def number() -> int:
    """The next number of this process; makes names and ids unique."""
    return next(_numbers)


# --- People -----------------------------------------------------------------------------------------------------------
def user(email: str | None = "", **more: Any) -> User:
    """A shopper who can log in with PASSWORD. `email=None` is somebody who came by WeChat."""
    address = f"person{number()}@example.com" if email == "" else email
    return User.objects.create_user(address, more.pop("password", PASSWORD), **more)


def staff(**more: Any) -> User:
    """A superuser."""
    return user(**{"is_staff": True, "is_superuser": True, **more})


def user_token(of: User | None = None) -> UserToken:
    """A living token; `tokens.issue` also gives its text."""
    return tokens.issue(of or user(), label="a phone")[1]


def wechat_identity(of: User | None = None, **more: Any) -> WeChatIdentity:
    """Somebody who came from the mini program."""
    defaults = {"app_id": "wxsandboxminiprogram", "openid": f"oTEST{number():023d}"}
    return WeChatIdentity.objects.create(**{"user": of or user(None), **defaults, **more})


def api_key(kind: str = "secret", **more: Any) -> ApiKey:
    """A living key; `api_keys.create` also gives its text."""
    return api_keys.create(**{"kind": kind, "name": f"key {number()}", **more})[1]


# --- Credits ---------------------------------------------------------------------------------------------------------
def posting(of: User | None = None, amount: int = 100, **more: Any) -> Posting:
    """A purchase of credits: a posting and its lot, on the account of a user."""
    return ledger.grant(
        **{"user_id": (of or user()).pk, "amount": amount, "reference": f"P{number()}/1", **more}
    )


def credit_account(of: User | None = None) -> CreditAccount:
    """An account with 100 credits."""
    return posting(of).destination


def plan_term(of: User | None = None, **more: Any) -> PlanTerm:
    """Thirty days of the plan "starter"."""
    defaults = {
        "user_id": (of or user()).pk,
        "plan_sku": "starter",
        "days": 30,
        "reference": f"P{number()}/1",
    }
    return terms.grant_term(**{**defaults, **more})


# --- Catalogue --------------------------------------------------------------------------------------------------------
def brand(**more: Any) -> PhoneBrand:
    n = number()
    return PhoneBrand.objects.create(
        **{
            "manufacturer_id": f"BR202501{n:08d}",
            "slug": f"brand-{n}",
            "name": f"Brand {n}",
            "name_zh": f"品牌{n}",
            **more,
        }
    )


def model(**more: Any) -> PhoneModel:
    n = number()
    more.setdefault("brand", None)
    more["brand"] = more["brand"] or brand()
    return PhoneModel.objects.create(**{"manufacturer_id": f"MM0202502{n:08d}", "name": f"Phone {n}", **more})


def colour(**more: Any) -> Colour:
    n = number()
    return Colour.objects.create(**{"slug": f"colour-{n}", "name": f"Colour {n}", "hex": "#8a8a8f", **more})


def shell(**more: Any) -> Shell:
    """An iPhone-sized shell, 73.24 x 149.27 mm, with one camera hole."""
    n = number()
    more.setdefault("model", None)
    more["model"] = more["model"] or model()
    more.setdefault("colour", None)
    more["colour"] = more["colour"] or colour()
    return Shell.objects.create(
        **{
            "manufacturer_id": f"MS1025{n:08d}",
            "width_mm": Decimal("73.24"),
            "height_mm": Decimal("149.27"),
            "cutouts": [{"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}],
            **more,
        }
    )


def template(**more: Any) -> DesignTemplate:
    """A template with one slot over the whole case."""
    n = number()
    spec = {"slots": [{"x": 0, "y": 0, "w": 1, "h": 1, "radius": 0}], "overlay": []}
    return DesignTemplate.objects.create(
        **{"slug": f"template-{n}", "name": f"Template {n}", "spec": spec, **more}
    )


def product(phone_model: PhoneModel | None = None, **more: Any) -> CaseProduct:
    """The case for a phone model, without a price."""
    return CaseProduct.objects.create(
        **{"sku": f"case-{number()}", "name": "Case", "phone_model": phone_model or model(), **more}
    )


def price(of: Any = None, *, amount_minor: int | None = 1999, currency: str = "GBP", **more: Any) -> Price:
    """A price, 19.99 GBP unless told otherwise, that has counted for years whatever a test's clock says."""
    more.setdefault("starts_at", datetime(2020, 1, 1, tzinfo=UTC))
    return Price.objects.create(product=of or product(), amount_minor=amount_minor, currency=currency, **more)


def reprice(amount_minor: int, **which: Any) -> None:
    """Everything (or `which`) costs that from now on."""
    for old in Price.objects.counting().filter(**which):
        Price.objects.create(product=old.product, currency=old.currency, amount_minor=amount_minor)


def sellable_shell(*, amount_minor: int = 1999, currency: str = "GBP", **more: Any) -> Shell:
    """A shell whose model is a product with one price."""
    made = shell(**more)
    price(product(made.model), amount_minor=amount_minor, currency=currency)
    return made


def photo(owner: str = "session:test", *, content: bytes = b"not a picture", **more: Any) -> Photo:
    """A photo row with files of `content`; give real picture bytes where something decodes them."""
    row = Photo(
        **{
            "owner": owner,
            "extension": "jpg",
            "original_format": "JPEG",
            "width": 3000,
            "height": 4000,
            "bytes": len(content),
            "sha256": "0" * 64,
            **more,
        }
    )
    row.file.save("x", ContentFile(content), save=False)
    row.working_copy.save("x", ContentFile(content), save=False)
    row.save()
    return row


def design(of: Shell | None = None, **more: Any) -> Design:
    """An unfrozen design with an empty white layout."""
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": []}
    return Design.objects.create(
        **{"owner": "session:test", "shell": of or shell(), "layout": layout, **more}
    )


def frozen_design(of: Shell | None = None, *, print_bytes: bytes = b"print", **more: Any) -> Design:
    """A design as it is after ordering. The hash is a stand-in: nothing was rendered."""
    row = design(
        of, **{"print_sha256": "a" * 64, "preview_sha256": "b" * 64, "frozen_at": timezone.now(), **more}
    )
    row.print_file.save("x", ContentFile(print_bytes), save=True)
    row.preview.save("x", ContentFile(print_bytes), save=True)
    return row


# --- Vending ----------------------------------------------------------------------------------------------------------
def machine(**more: Any) -> Machine:
    """A machine that sells in GBP and was heard of just now."""
    n = number()
    return Machine.objects.create(
        **{"machine_id": f"VM_TEST_{n}", "name": f"Machine {n}", "last_contact_at": timezone.now(), **more}
    )


def stock(at: Machine, of: Shell, count: int = 5, **more: Any) -> StockLevel:
    return StockLevel.objects.create(
        **{"machine": at, "shell": of, "count": count, "seen_at": timezone.now(), **more}
    )


def session(at: Machine | None = None, **more: Any) -> VendingSession:
    """A fresh session of 30 minutes; a `status` other than active is written as if it had been made so."""
    at = at or machine()
    return VendingSession.objects.create(
        **{
            "machine": at,
            "session_id": f"{at.machine_id}_20251120_101112_{number():08X}",
            "expires_at": timezone.now() + timedelta(minutes=30),
            **more,
        }
    )


def print_job(at: Machine | None = None, **more: Any) -> PrintJob:
    """A paid job of 19.99 GBP whose orderData is due now."""
    n = number()
    return PrintJob.objects.create(
        **{
            "reference": f"P20251120101112{n:08x}-1",
            "order_no": f"P20251120101112{n:08x}",
            "machine": at or machine(),
            "payment_third_id": f"PYEN251120{n:06d}",
            "third_order_id": f"OREN251120{n:06d}",
            "amount_minor": 1999,
            "currency": "GBP",
            "mobile_model_id": "MM020250224000010",
            "mobile_shell_id": "MS102503270003",
            "design_id": uuid.UUID(int=n),
            "print_sha256": "a" * 64,
            "due_at": timezone.now(),
            **more,
        }
    )


# --- Orders and payments ----------------------------------------------------------------------------------------------
def order(*, lines: int = 1, **more: Any) -> Order:
    """A pending order of a guest for a case, 19.99 GBP."""
    row = Order.objects.create(
        **{
            "order_no": f"P20251120101112{number():08x}",
            "kind": Order.Kind.CASE,
            "currency": "GBP",
            "total_minor": 1999,
            **more,
        }
    )
    for position in range(1, lines + 1):
        OrderLine.objects.create(order=row, position=position, unit_minor=row.total_minor // lines)
    return row


def intent(of: Order | None = None, **more: Any) -> PaymentIntent:
    """A first attempt at the machine for all of the order, as it is before anything was sent."""
    of = of or order()
    n = number()
    return PaymentIntent.objects.create(
        **{
            "order": of,
            "gateway": "machine",
            "method": "machine",
            "amount_minor": of.total_minor,
            "currency": of.currency,
            "out_trade_no": f"PYEN251120{n:06d}",
            "idempotency_key": f"test-{n}",
            **more,
        }
    )


def refund(of: PaymentIntent | None = None, **more: Any) -> Refund:
    """A manual refund of all that was paid, asked for by staff."""
    of = of or intent(status="succeeded", captured_minor=1999)
    made = Refund.objects.create(
        **{
            "intent": of,
            "kind": Refund.Kind.MANUAL,
            "origin": Refund.Origin.STAFF,
            "amount_minor": of.amount_minor,
            "currency": of.currency,
            "out_refund_no": f"{of.out_trade_no}R{number()}",
            **more,
        }
    )
    if made.status in ("created", "pending", "succeeded"):
        reserved = F("refund_reserved_minor") + made.amount_minor
        PaymentIntent.objects.filter(pk=of.pk).update(refund_reserved_minor=reserved)
        of.refresh_from_db(fields=["refund_reserved_minor"])
    return made


def webhook_event(**more: Any) -> WebhookEvent:
    """A stored hint of the machine's gateway, due now."""
    n = number()
    return WebhookEvent.objects.create(
        **{
            "gateway": "machine",
            "event_id": f"hint-{n}",
            "kind": "payStatus",
            "subject": f"PYEN251120{n:06d}",
            **more,
        }
    )


# --- Webhooks out -----------------------------------------------------------------------------------------------------
def webhook_endpoint(*, secret: str = "", **more: Any) -> WebhookEndpoint:
    """An endpoint of the whole shop that wants everything; its secret is `secret` (Standard Webhooks)."""
    sealed = crypto.seal(secret or "whsec_" + "QUJD" * 8)
    return WebhookEndpoint.objects.create(
        **{
            "url": f"https://merchant{number()}.example/hooks",
            "events": ["*"],
            "secret_sealed": sealed,
            **more,
        }
    )


def outbound_event(of: PaymentIntent | None = None, **more: Any) -> OutboundEvent:
    """A published event of a payment, numbered by this process's counter."""
    of = of or intent()
    n = number()
    return OutboundEvent.objects.create(
        **{
            "sequence": n,
            "type": "payment.created",
            "api_version": "2026-01-28",
            "payload": {"payment_id": of.payment_id},
            "occurred_at": timezone.now(),
            "intent": of,
            "user": of.order.user,
            "source": "payment",
            "change_id": n,
            **more,
        }
    )


def webhook_delivery(
    to: WebhookEndpoint | None = None, of: OutboundEvent | None = None, **more: Any
) -> WebhookDelivery:
    """A delivery that is due now."""
    return WebhookDelivery.objects.create(
        **{"endpoint": to or webhook_endpoint(), "event": of or outbound_event(), **more}
    )


def created(row: Any) -> Any:
    """Give a row the event of its making, as the services do (invariant 8)."""
    remark(row, source="system", reason="created")
    if isinstance(row, PaymentIntent):
        PaymentIntent.objects.filter(pk=row.pk).update(next_query_at=timezone.now())
        row.refresh_from_db()
    return row

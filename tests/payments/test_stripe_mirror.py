"""The mirror of Stripe's objects: what it shows, what it keeps out, and that nothing depends on it.

The suite runs without it (tests/conftest.py). Here it is switched on for one module, with its tables made by its
migration and taken away again.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from django.apps import apps
from django.conf import settings as shop
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.urls import Resolver404, clear_url_caches, resolve
from django.utils import timezone

from accounts.services import roles
from payments.admin import stripe_mirror as desk
from payments.models import PaymentIntent, WebhookEvent
from payments.services import online_payments, stripe_mirror
from pimpshop import urls
from tests import factories
from tests.flows.test_stripe_flow import hear, merchant_order
from tests.support.sandbox import Sandbox, sandbox_client, sandbox_server
from tests.support.stripe_sandbox import KEY, StripeSandbox

__all__ = ["sandbox_client", "sandbox_server"]

pytestmark = pytest.mark.sandbox


def addresses_anew() -> None:
    """The desk's addresses are worked out once, from what is registered."""
    importlib.reload(urls)
    clear_url_caches()


def djstripe_pages(site: admin.AdminSite) -> set[str]:
    return {model.__name__ for model in site._registry if model._meta.app_label == "djstripe"}


def take_away() -> None:
    with connection.cursor() as cursor:
        found = [t for t in connection.introspection.table_names(cursor) if t.startswith("djstripe_")]
        cursor.execute(f"DROP TABLE {', '.join(found)} CASCADE")
    MigrationRecorder.Migration.objects.filter(app="djstripe").delete()
    ContentType.objects.filter(app_label="djstripe").delete()


@pytest.fixture(scope="module")
def mirror_tables(django_db_setup: None, django_db_blocker: Any, sandbox_server: Sandbox) -> Iterator[None]:
    with_it = [*shop.INSTALLED_APPS]
    with_it.insert(with_it.index("payments"), "djstripe")
    api_base = f"{sandbox_server.base_url}/stripe"
    before = sdk.default_http_client, sdk.api_base
    site = admin.site
    changed = override_settings(INSTALLED_APPS=with_it, STRIPE_API_HOST=api_base, STRIPE_API_BASE=api_base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dj-stripe's forms
        changed.enable()
    replaced, admin.site = admin.site, site  # unfold makes a new one whenever the apps are made ready
    admin.sites.site = site
    assert len(djstripe_pages(replaced)) > 40
    desk.register(replaced)
    assert djstripe_pages(replaced) == set(desk.SHOWN)
    try:
        with django_db_blocker.unblock():
            call_command("migrate", "djstripe", verbosity=0)
        sdk.api_base = api_base
        desk.register(admin.site)
        addresses_anew()
        yield
        for name in desk.SHOWN:
            admin.site.unregister(apps.get_model("djstripe", name))
        with django_db_blocker.unblock():
            take_away()
    finally:
        changed.disable()
        admin.site = admin.sites.site = site
        addresses_anew()
    sdk.default_http_client, sdk.api_base = before


@pytest.fixture
def simulated(mirror_tables: None, db: None, sandbox_client: Sandbox) -> StripeSandbox:
    return StripeSandbox(sandbox_client)


def mirrored(name: str) -> Any:
    return apps.get_model("djstripe", name).objects


def pay(simulated: StripeSandbox) -> PaymentIntent:
    """A payment on the hosted page, heard of by its events alone."""
    choice = online_payments.Choice(
        gateway="stripe", method="checkout", return_url="https://shop.example/done"
    )
    intent = online_payments.start_payment(merchant_order(), choice, source="api")
    simulated.pay(intent.provider_ref)
    hear(simulated)
    intent.refresh_from_db()
    return intent


def look() -> list[bool]:
    return [stripe_mirror.reflect(pk) for pk in stripe_mirror.due()]


def stored_words() -> str:
    """Every row of every table of dj-stripe, as text."""
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if t.startswith("djstripe_")]
        assert len(tables) > 50
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_whoever_may_look_may_from_the_moment_it_is_switched_on(mirror_tables: None, db: None) -> None:
    looks = {
        p.pk
        for p in Permission.objects.filter(content_type__app_label="djstripe", codename__startswith="view_")
    }
    assert len(looks) > 40
    for role in roles.MAY:
        held = set(Group.objects.get(name=role).permissions.values_list("pk", flat=True))
        assert held & looks == (looks if role in roles.SEE_THE_MIRROR else set())


def test_events_that_ended_are_shown(simulated):
    intent = pay(simulated)
    assert intent.status == "succeeded"
    assert all(look())
    assert stripe_mirror.due() == []
    shown = mirrored("PaymentIntent").get(id=intent.transaction_ref)
    assert (shown.stripe_data["status"], shown.stripe_data["amount"]) == ("succeeded", 1999)
    assert shown.stripe_data["metadata"]["out_trade_no"] == intent.out_trade_no
    charge = mirrored("Charge").get()
    assert (charge.stripe_data["paid"], charge.stripe_data["amount"]) == (True, 1999)
    assert mirrored("Session").get().id == intent.provider_ref


def test_refunds_are_shown_though_dj_stripe_handles_no_refund_event(simulated):
    intent = pay(simulated)
    simulated.sdk().v1.refunds.create({"payment_intent": intent.transaction_ref, "amount": 500})
    hear(simulated)
    look()
    shown = mirrored("Refund").get()
    assert (shown.stripe_data["status"], shown.amount) == ("succeeded", 500)


def test_a_late_event_brings_no_older_state_back(simulated):
    intent = pay(simulated)
    look()
    late = factories.webhook_event(
        gateway="stripe", kind="payment_intent.requires_action", subject=intent.out_trade_no, mirror_due_at=timezone.now(),
        payload={"object": "payment_intent", "id": intent.transaction_ref, "status": "requires_action"},
    )  # fmt: skip
    assert stripe_mirror.reflect(late.pk)
    assert mirrored("PaymentIntent").get().stripe_data["status"] == "succeeded"


def test_no_secret_and_nothing_personal_is_stored(simulated):
    customer = simulated.sdk().v1.customers.create({"email": "alice@example.com", "name": "Alice Example"})
    made = simulated.sdk().v1.payment_intents.create(
        {"amount": 1999, "currency": "gbp", "customer": customer.id, "payment_method": "pm_card_visa", "confirm": True,
         "return_url": "https://shop.example/done"}
    )  # fmt: skip
    assert stripe_mirror.mirror(kind="payment_intent", ident=made.id)
    assert mirrored("Customer").get().id == customer.id
    words = stored_words()
    assert made.id in words
    for secret in (KEY, made.client_secret, "alice@example.com", "Alice Example"):
        assert secret not in words
    assert mirrored("APIKey").count() == mirrored("Account").count() == 0


def test_the_price_list(simulated):
    books = simulated.books()
    assert stripe_mirror.mirror_prices() == stripe_mirror.mirror_prices() == len(books["price"]) > 0
    assert mirrored("Price").count() == len(books["price"])
    for price in books["price"]:
        shown = mirrored("Price").get(id=price["id"])
        assert (shown.stripe_data["unit_amount"], shown.product.id) == (
            price["unit_amount"],
            price["product"],
        )
    assert mirrored("APIKey").count() == 0


@pytest.mark.fault
def test_a_failure_touches_no_payment_and_is_tried_again(simulated):
    intent = pay(simulated)
    before = WebhookEvent.objects.order_by("pk").values_list("pk", "status", "outcome", "due_at")
    then, first = list(before), stripe_mirror.due()[0]
    simulated.fault("down", count=100)
    assert stripe_mirror.reflect(first) is False
    event = WebhookEvent.objects.get(pk=first)
    assert event.mirror_attempts == 1
    assert 50 < (event.mirror_due_at - timezone.now()).total_seconds() <= 60
    WebhookEvent.objects.filter(pk=first).update(mirror_due_at=timezone.now(), mirror_attempts=5)
    assert stripe_mirror.reflect(first) is False
    event.refresh_from_db()
    assert event.mirror_due_at is None
    assert list(before) == then
    intent.refresh_from_db()
    assert (intent.status, mirrored("PaymentIntent").count()) == ("succeeded", 0)


@pytest.mark.race
def test_one_at_a_time_at_an_object(simulated):
    intent = pay(simulated)
    first = stripe_mirror.due()[0]
    ident = WebhookEvent.objects.get(pk=first).payload["id"]
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"stripe mirror {ident}"])
        assert stripe_mirror.reflect(first) is False
    finally:
        other.close()
    event = WebhookEvent.objects.get(pk=first)
    assert event.mirror_due_at is not None
    assert intent.status == "succeeded"


def test_the_desk_shows_seven_kinds_and_changes_none(simulated):
    intent = pay(simulated)
    look()
    assert djstripe_pages(admin.site) == set(desk.SHOWN)
    client = Client()
    client.force_login(factories.staff(is_superuser=True))
    page = client.get("/admin/djstripe/paymentintent/")
    assert (page.status_code, intent.transaction_ref in page.text, "£19.99" in page.text) == (200, True, True)
    one = mirrored("PaymentIntent").get()
    page = client.get(f"/admin/djstripe/paymentintent/{one.pk}/change/")
    assert (page.status_code, intent.out_trade_no in page.text, 'name="_save"' in page.text) == (
        200,
        True,
        False,
    )
    assert client.post(f"/admin/djstripe/paymentintent/{one.pk}/delete/").status_code == 403
    assert client.get("/admin/djstripe/paymentintent/add/").status_code == 403


def test_its_webhook_view_has_no_address():
    for path in ("/djstripe/webhook/", "/stripe/webhook/", "/webhook/"):
        with pytest.raises(Resolver404):
            resolve(path)


def test_only_stripes_objects_that_it_knows_are_looked_at(mirror_tables, db):
    known = {"object": "refund", "id": "re_1TESTback"}
    assert stripe_mirror.wanted(factories.webhook_event(gateway="alipay", payload=known)) == {}
    assert stripe_mirror.wanted(factories.webhook_event(gateway="stripe", payload={"object": "payout"})) == {}
    wanted = stripe_mirror.wanted(factories.webhook_event(gateway="stripe", payload=known))
    assert wanted["mirror_attempts"] == 0
    assert abs((wanted["mirror_due_at"] - timezone.now()).total_seconds()) < 5

"""/account/data/: all of it in one file, and the end of an account: what goes, what stays, what stops it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import User, WeChatIdentity
from accounts.services import tokens
from catalog.models import Design, Draft, Photo
from catalog.services import designs
from credits import selectors as credits
from credits.models import Posting
from credits.services import holds, ledger, terms
from orders.models import Order, OrderLine
from orders.services import forgetting
from payments.models import PaymentIntent, ProviderCustomer, SavedPaymentMethod, ShippingNotice
from payments.services import personal_data
from pimpshop.core import invariants, storage
from pimpshop.core.models import AuditEntry, Notification
from tests import factories as make
from tests.support import bought as buying

pytestmark = pytest.mark.django_db
DATA, FILE, ERASE = "/account/data/", "/account/data.json", "/account/data/erase/"
MAIL = "alice@example.com"


def logged_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def alice(db: None) -> User:
    """Somebody with a bit of everything, nothing of it under way."""
    user = make.user(MAIL, name="Alice A.")
    make.wechat_identity(user)
    tokens.issue(user, label="iPhone")
    buying.pay(buying.bought(user=user, name="500 credits"))
    PaymentIntent.objects.update(
        method_details={"last_four": "4242", "cardholder_name": "ALICE A"},
        metadata={"payer_ref": "oALICE", "client_ip": "192.0.2.7", "part": 1},
    )
    ledger.spend(user_id=user.pk, amount=120, reference="S1")
    terms.grant_term(user_id=user.pk, plan_sku="starter", days=30, reference="T1")
    photo = make.photo(f"user:{user.pk}")
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": [
        {"kind": "photo", "photo": str(photo.pk)}, {"kind": "text", "text": "For Bob"}]}  # fmt: skip
    design = make.frozen_design(owner=f"user:{user.pk}", layout=layout)
    make.design(owner=f"user:{user.pk}")
    order = make.order(user=user, email=MAIL, status="completed", lines=0, completed_at=timezone.now())
    OrderLine.objects.create(order=order, unit_minor=1999, design_id=design.pk, snapshot={"model": "Phone 1"})
    Notification.objects.create(reference=order.order_no, kind="paid", recipient=MAIL, data={"name": "Alice"})
    ProviderCustomer.objects.create(user=user, gateway="stripe", customer_ref="cus_1")
    return user


def everything() -> tuple[int, ...]:
    return (
        User.objects.filter(email=MAIL, is_active=True).count(), WeChatIdentity.objects.count(), Photo.objects.count(),
        Design.objects.filter(forgotten_at=None).count(), Order.objects.filter(email=MAIL).count(),
        AuditEntry.objects.count(),
    )  # fmt: skip


# --- The file ---------------------------------------------------------------------------------------------------------
def test_the_file_has_everything_and_no_secret(alice: User) -> None:
    answer = logged_in(alice).get(FILE)
    told = json.loads(answer.content)
    assert answer["Content-Disposition"].startswith('attachment; filename="pimpshop-my-data-')
    assert "no-store" in answer["Cache-Control"]
    assert (told["person"]["email"], told["person"]["name"]) == (MAIL, "Alice A.")
    assert [row["label"] for row in told["devices"]] == ["iPhone"]
    assert [order["kind"] for order in told["orders"]] == ["credits", "case"]
    assert [pay["status"] for pay in told["orders"][0]["payments"]] == ["succeeded"]
    assert (told["credits"]["balance"], [row["amount"] for row in told["credits"]["statement"]]) == (
        380,
        [-120, 500],
    )
    assert [row["plan"] for row in told["credits"]["plans"]] == ["starter"]
    assert (len(told["designs"]["designs"]), len(told["designs"]["photos"])) == (2, 1)
    assert [
        word for word in ("token_hash", "password", "cus_1", "client_secret") if word in text(answer)
    ] == []
    assert "For Bob" in text(answer)


def test_the_file_is_of_nobody_else(alice: User) -> None:
    other = text(logged_in(make.user()).get(FILE))
    assert [word for word in (MAIL, "Alice", "For Bob") if word in other] == []
    assert json.loads(other)["orders"] == []


# --- The end ----------------------------------------------------------------------------------------------------------
def test_the_person_goes_and_the_books_stay(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    client, elsewhere = logged_in(alice), logged_in(alice)
    token, _row = tokens.issue(alice)
    page = text(client.get(DATA))
    assert "You would give up <b>380 credits</b>" in page
    assert "would end." in page
    before, photo = Posting.objects.count(), Photo.objects.get()
    printed = Design.objects.exclude(frozen_at=None).get()
    files = [str(file.name) for file in (photo.file, photo.working_copy, printed.print_file, printed.preview)]
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(ERASE, {"sure": make.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")

    gone = User.objects.get(pk=alice.pk)
    assert (gone.email, gone.name, gone.is_active, gone.has_usable_password()) == (None, "", False, False)
    assert gone.public_id != alice.public_id
    assert everything() == (0, 0, 0, 0, 0, 1)
    assert [default_storage.exists(name) for name in files] == [False] * 4
    kept = Design.objects.get()
    assert (kept.pk, kept.print_sha256, kept.layout["items"]) == (printed.pk, "a" * 64, [])
    assert (gone.tokens.count(), ProviderCustomer.objects.count()) == (0, 0)
    intent = PaymentIntent.objects.get()
    assert (intent.method_details, intent.metadata) == ({"last_four": "4242"}, {"part": 1})
    assert list(Notification.objects.values_list("recipient", "data")) == [("", {})]
    assert [page.get("/account/").status_code for page in (client, elsewhere)] == [302, 302]
    assert Client().get("/api/credits", headers={"authorization": f"Bearer {token}"}).status_code == 401

    assert Order.objects.filter(user=gone).count() == 2
    assert (Posting.objects.count(), credits.balance(gone.pk)) == (before, 380)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.data["credits_given_up"]) == (
        "erased account",
        f"user {alice.pk}",
        380,
    )
    assert MAIL not in str(entry.data)
    assert [str(v) for v in invariants.violations() if v.check.startswith("3")] == []
    assert make.user(MAIL).pk != alice.pk  # the address is free again


def test_a_wrong_password_erases_nothing(alice: User) -> None:
    before = everything()
    answer = logged_in(alice).post(ERASE, {"sure": "wrong"})
    assert (answer.status_code, everything()) == (400, before)
    assert "That is not your password. Nothing was erased." in text(answer)


def test_who_has_no_password_types_the_number() -> None:
    user = make.user(None, password=None)
    client = logged_in(user)
    assert f"number of your account, {user.pk}," in text(client.get(DATA))
    assert client.post(ERASE, {"sure": ""}).status_code == 400
    assert client.post(ERASE, {"sure": f" {user.pk} "}).status_code == 302
    assert User.objects.get(pk=user.pk).is_active is False


def test_what_is_under_way_is_named_and_stops_it(alice: User) -> None:
    paid = make.order(user=alice, status="paid", paid_at=timezone.now())
    until = timezone.now() + timedelta(hours=1)
    holds.reserve(user_id=alice.pk, amount=30, reference="H", subject="P", expires_at=until, source="test")
    before, client = everything(), logged_in(alice)
    page = text(client.get(DATA))
    assert f"Order {paid.order_no}" in page
    assert "30 credits are set aside" in page
    assert ERASE not in page
    answer = client.post(ERASE, {"sure": make.PASSWORD})
    assert (answer.status_code, everything()) == (409, before)
    assert personal_data.in_the_way(alice) == [paid.order_no]


def test_a_refund_on_its_way_stops_it(alice: User) -> None:
    intent = buying.bought(user=alice)
    buying.pay(intent)
    refund = buying.ask(intent, 100)
    assert personal_data.in_the_way(alice) == [intent.order.order_no]
    buying.end(refund, "succeeded")
    assert personal_data.in_the_way(alice) == []


def test_what_wechat_is_still_to_be_told_stops_it(alice: User) -> None:
    intent = PaymentIntent.objects.get()
    notice = ShippingNotice.objects.create(intent=intent, logistics_type=3, description="积分")
    assert personal_data.in_the_way(alice) == [intent.order.order_no]
    ShippingNotice.objects.filter(pk=notice.pk).update(next_attempt_at=None, told_at=timezone.now())
    assert personal_data.in_the_way(alice) == []


def test_a_provider_that_is_away_stops_it_before_anything_is_gone(alice: User) -> None:
    SavedPaymentMethod.objects.create(user=alice, gateway="stripe", method_ref="pm_1")
    before = everything()
    with responses.RequestsMock():  # nobody answers
        answer = logged_in(alice).post(ERASE, {"sure": make.PASSWORD})
    assert (answer.status_code, everything()) == (502, before)
    assert SavedPaymentMethod.objects.filter(removed_at=None).count() == 1


@pytest.mark.parametrize("how", ["staff", "program"])
def test_staff_and_programs_stay(how: str) -> None:
    user = make.staff() if how == "staff" else make.user()
    if how == "program":
        make.api_key(user=user)
    answer = logged_in(user).post(ERASE, {"sure": make.PASSWORD})
    assert (answer.status_code, User.objects.get(pk=user.pk).is_active) == (409, True)
    assert "Please ask a colleague." in text(answer)


def test_a_post_without_the_pages_token_erases_nothing(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(ERASE, {"sure": make.PASSWORD}).status_code == 403
    assert Client().post(ERASE, {"sure": make.PASSWORD}).status_code == 302
    assert everything()[0] == 1
    assert logged_in(alice).get(ERASE).status_code == 405


# --- Pictures of old orders -------------------------------------------------------------------------------------------
def printed_days_ago(days: int, **more: Any) -> Design:
    design = make.frozen_design(owner=f"session:{make.number()}")
    then = timezone.now() - timedelta(days=days)
    order = make.order(
        **{"status": "completed", "completed_at": then, "created_at": then, "lines": 0, **more}
    )
    OrderLine.objects.create(order=order, unit_minor=1999, design_id=design.pk)
    return design


def test_pictures_go_some_weeks_after_printing(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.PHOTOS_KEPT_DAYS = 30
    old, young = printed_days_ago(31), printed_days_ago(29)
    under_way = printed_days_ago(40, status="paid", completed_at=None)
    never_paid = printed_days_ago(31, status="cancelled", completed_at=None)
    name, link = str(old.print_file.name), storage.make_token("print", old.pk, timedelta(days=30))
    assert designs.stored_picture(link).name == name
    with django_capture_on_commit_callbacks(execute=True):
        assert (forgetting.forget_printed(), forgetting.forget_printed()) == (2, 0)
    kept = set(Design.objects.filter(forgotten_at=None).values_list("pk", flat=True))
    assert kept == {young.pk, under_way.pk}
    assert never_paid.pk not in kept
    assert (default_storage.exists(name), default_storage.exists(str(young.print_file.name))) == (False, True)
    old.refresh_from_db()
    assert (old.print_sha256, old.print_file.name, old.preview.name) == ("a" * 64, "", "")
    assert Client().get(f"/pictures/{link}.png").status_code == 404


def test_nothing_goes_when_pictures_are_kept_for_ever(settings: Any) -> None:
    settings.PHOTOS_KEPT_DAYS = 0
    design = printed_days_ago(4000)
    assert forgetting.forget_printed() == 0
    assert Design.objects.get(pk=design.pk).forgotten_at is None


# --- Designs at home --------------------------------------------------------------------------------------------------
def test_designs_at_home_are_in_the_file_and_go_with_the_person(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    draft = Draft.objects.create(keeper=f"user:{alice.pk}")
    theirs = Draft.objects.create(keeper="visitor:somebody")
    make.design(owner=draft.owner, layout={"items": [{"kind": "text", "text": "At home"}]})
    for row in (draft, theirs):
        make.photo(row.owner)
    client = logged_in(alice)
    told = json.loads(client.get(FILE).content)["designs"]
    assert ("At home" in json.dumps(told), len(told["designs"]), len(told["photos"])) == (True, 3, 2)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(ERASE, {"sure": make.PASSWORD}).status_code == 302
    assert [row.pk for row in Draft.objects.all()] == [theirs.pk]
    assert [row.owner for row in Photo.objects.all()] == [theirs.owner]
    assert not Design.objects.filter(owner=draft.owner).exists()
    assert AuditEntry.objects.get(action="erased account").data["designs_at_home"] == 1

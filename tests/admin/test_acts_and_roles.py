"""Every act of the desk, by role: who may do it, and that a direct post of anybody else changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.services import roles
from catalog.models import Draft, SharedDesign
from payments.models import Dispute, GatewaySwitch, ReconcileDifference, ShippingNotice, StatementRun
from payments.services import switches
from pimpshop.core import staff_items
from pimpshop.core.admin.acting import ActingMixin
from pimpshop.core.models import Notification, StaffItem, StaffRequest
from tests import factories
from tests.support import everything, goods

pytestmark = pytest.mark.django_db
#: Who stands at the machine, and who answers for those who do.
CASES = {"support", "operator"}
FINANCE, NOBODY = {"finance"}, set[str]()
MONEY_OR_CASES = {"support", "finance"}
STAFF = CASES | FINANCE

#: model -> act -> the groups that may. Everything else is an administrator's.
MAY: dict[str, dict[str, set[str]]] = {
    "accounts.apikey": {"revoke": NOBODY},
    "accounts.user": {"remove-second-factor": NOBODY},
    "accounts.usertoken": {"revoke": NOBODY},
    "catalog.caseproduct": {"set-price": FINANCE, "call-off-price": FINANCE},
    "catalog.creditpack": {"set-price": FINANCE, "call-off-price": FINANCE, "compare-now": FINANCE},
    "catalog.plan": {"set-price": FINANCE, "call-off-price": FINANCE, "compare-now": FINANCE},
    "catalog.shareddesign": {"take-down": {"support"}, "allow-again": {"support"}},
    "credits.creditaccount": {"give-credits": FINANCE, "take-credits": FINANCE},
    "core.notification": {"send-again": MONEY_OR_CASES},
    "core.staffitem": {
        "take": STAFF, "assign": STAFF, "release": STAFF, "note": STAFF, "resolve": STAFF,
    },
    # Who may do what was asked for; taking back is for who asked.
    "core.staffrequest": {"approve": FINANCE, "turn-down": FINANCE, "withdraw": NOBODY},
    "payments.dispute": {"submit-evidence": FINANCE, "was-answered": FINANCE},
    "payments.gatewayswitch": {"switch-off": FINANCE, "switch-on": FINANCE},
    "payments.paymentintent": {
        "accept-late": FINANCE, "keep-surplus": FINANCE,
        "check-now": FINANCE, "refund": FINANCE, "pay-back": FINANCE, "pay-back-as-credits": FINANCE,
    },
    "payments.reconciledifference": {"resolve": FINANCE},
    "payments.refund": {
        "was-ours": FINANCE, "was-not-ours": FINANCE, "mark-paid-back": FINANCE, "pay-as-credits": FINANCE,
    },
    "payments.shippingnotice": {"tell-again": FINANCE},
    "payments.webhookdelivery": {"resend": FINANCE},
    "payments.webhookendpoint": {"switch-on": FINANCE, "switch-off": FINANCE, "test": FINANCE},
    "payments.webhookevent": {"process-again": FINANCE},
    "vending.machine": {
        "read-stock": CASES, "maintenance-on": CASES, "maintenance-off": CASES, "printer-works": CASES,
    },
    "vending.printjob": {
        "check-now": CASES, "go-on": CASES, "send-again": CASES, "send-elsewhere": CASES, "reprint": CASES, "reprint-for-nothing": CASES,
        "mark-collected": CASES, "cancel": CASES,
    },
    "vending.stocklevel": {"read-stock": CASES},
    "vending.vendingsession": {"cancel": CASES},
}  # fmt: skip


def _difference() -> ReconcileDifference:
    run = StatementRun.objects.create(gateway="stripe", account="a", day=date(2026, 11, 1))
    return ReconcileDifference.objects.create(run=run, kind="missing_here", subject="PYEN1")


def _request() -> StaffRequest:
    """Somebody in finance asked for more than one person pays back alone."""
    intent = factories.intent(status="succeeded", captured_minor=1999)
    return StaffRequest.objects.create(
        act="pay-back", model="payments.paymentintent", object_id=str(intent.pk), subject=intent.out_trade_no,
        reason="rained out", typed={}, lines=["..."], moves=[[1999, "GBP"]], fingerprint="f", asked_by_id=0,
        asked_by="somebody@example.com", expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip


def _shared_design() -> SharedDesign:
    return SharedDesign.objects.create(
        draft=Draft.objects.create(keeper="visitor:1"), token="token", shell=factories.shell(), layout_hash="0" * 64,
        case="a.png", card="b.png",
    )  # fmt: skip


def _item() -> StaffItem:
    staff_items.open_item(kind="odd", subject="PYEN1", title="odd")
    return StaffItem.objects.get()


def _switch() -> GatewaySwitch:
    switches.make_rows()  # as the list does when somebody looks at it
    return GatewaySwitch.objects.get_or_create(gateway="stripe")[0]


#: A row of each page, such that its acts could be done.
ROWS: dict[str, Callable[[], Any]] = {
    "accounts.apikey": factories.api_key, "accounts.user": factories.user, "accounts.usertoken": factories.user_token,
    "catalog.caseproduct": factories.product, "catalog.creditpack": goods.pack, "catalog.plan": goods.plan,
    "catalog.shareddesign": _shared_design,
    "core.notification": lambda: Notification.objects.create(reference="P1", kind="case_printed"),
    "core.staffitem": _item, "core.staffrequest": _request,
    "credits.creditaccount": factories.credit_account,
    "payments.dispute": lambda: Dispute.objects.create(
        intent=factories.intent(status="succeeded", captured_minor=1999), provider_ref="dp_1", amount_minor=1, currency="GBP"
    ),
    "payments.gatewayswitch": _switch,
    "payments.paymentintent": lambda: factories.intent(status="succeeded", captured_minor=1999),
    "payments.reconciledifference": _difference,
    "payments.refund": factories.refund,
    "payments.shippingnotice": lambda: ShippingNotice.objects.create(
        intent=factories.intent(), logistics_type=4, ended_at=timezone.now(), next_attempt_at=None
    ),
    "payments.webhookdelivery": lambda: factories.webhook_delivery(status="failed", next_attempt_at=None),
    "payments.webhookendpoint": factories.webhook_endpoint,
    "payments.webhookevent": lambda: factories.webhook_event(status="parked", due_at=None),
    "vending.stocklevel": lambda: factories.stock(factories.machine(), factories.shell()),
    "vending.machine": factories.machine, "vending.vendingsession": factories.session,
    "vending.printjob": lambda: factories.print_job(status="failed", due_at=None),
}  # fmt: skip
ROLES = ["", *roles.MAY]
TYPED = {"reason": "because", "amount": "1", "person": "", "choice": "X", "seen": "x", "sure": "on"}


def registered(request: Any) -> dict[str, set[str]]:
    """Every act of every page, those included that a page makes for who looks."""
    return {
        model._meta.label_lower: {act.name for act in page.get_acts(request)}
        for model, page in django_admin.site._registry.items()
        if isinstance(page, ActingMixin)
    }


def test_every_act_there_is_says_which_roles_may(admin: Any, rf: Any) -> None:
    """A new act without a line in MAY fails here, and so does a line without an act."""
    request = rf.get("/")
    request.user = admin.user
    found = {label: acts for label, acts in registered(request).items() if acts}
    assert found == {label: set(acts) for label, acts in MAY.items()}
    assert set(ROWS) == set(MAY)


@pytest.mark.parametrize("label", sorted(MAY))
def test_a_direct_post_beyond_somebodys_rights_changes_nothing(member: Any, label: str) -> None:
    """Not one row of one table: from the row's page, as a look, and from the list, with and without the question. Who may
    is asked."""
    obj, name = ROWS[label](), label.replace(".", "_")
    desks = {role: member(role) for role in ROLES}
    before = everything.snapshot()
    for role, desk in desks.items():
        for act, groups in MAY[label].items():
            page = reverse(f"admin:{name}_act", args=[obj.pk, act])
            may = role in groups
            assert desk.client.get(page).status_code == (200 if may else 403), (role, act)
            if may:
                continue
            for sent in (TYPED, {**TYPED, "show": "1"}, {**TYPED, "once": "this form"}):
                assert desk.client.post(page, sent).status_code == 403, (role, act)
            desk.act_on(name, [obj], act)
            desk.act_on(name, [obj], act, apply="1", **TYPED)
        assert everything.changed(before, everything.snapshot()) == {}, role


def test_a_stranger_and_a_shopper_change_nothing_either() -> None:
    rows = {label: make() for label, make in ROWS.items()}
    shopper = Client()
    shopper.force_login(factories.user())
    before = everything.snapshot()
    for label, obj in rows.items():
        for act in MAY[label]:
            page = reverse(f"admin:{label.replace('.', '_')}_act", args=[obj.pk, act])
            for client in (Client(), shopper):
                answer = client.post(page, TYPED)
                assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/"), page
    assert everything.changed(before, everything.snapshot()) == {}


def test_items_are_not_closed_by_those_who_may_only_look(viewer: Any) -> None:
    staff_items.open_item(kind="second_person", subject="SR1", title="t")
    item = StaffItem.objects.get()
    assert viewer("core.view_staffitem").act("core_staffitem", item, "resolve", "gone").status_code == 403
    item.refresh_from_db()
    assert item.resolved_at is None

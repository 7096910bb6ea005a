"""Every act of the desk, by role: who may do it, and that a direct post of anybody else changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse

from payments.models import Dispute, GatewaySwitch, ShippingNotice
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, Notification, StaffItem, StaffMove, StaffRequest
from tests import factories
from tests.support import goods

pytestmark = pytest.mark.django_db
#: Who stands at the machine, and who answers for those who do.
CASES = {"support", "operator"}
FINANCE, NOBODY = {"finance"}, set[str]()

#: model -> act -> the groups that may. Everything else is an administrator's.
MAY: dict[str, dict[str, set[str]]] = {
    "accounts.apikey": {"revoke": NOBODY},
    "accounts.user": {"remove-second-factor": NOBODY},
    "accounts.usertoken": {"revoke": NOBODY},
    "catalog.caseproduct": {"set-price": FINANCE, "call-off-price": FINANCE},
    "catalog.creditpack": {"set-price": FINANCE, "call-off-price": FINANCE, "compare-now": FINANCE},
    "catalog.plan": {"set-price": FINANCE, "call-off-price": FINANCE, "compare-now": FINANCE},
    "credits.creditaccount": {"give-credits": FINANCE, "take-credits": FINANCE},
    "payments.dispute": {"submit-evidence": FINANCE},
    "payments.gatewayswitch": {"switch-off": FINANCE, "switch-on": FINANCE},
    "payments.paymentintent": {
        "accept-late": FINANCE,
        "check-now": FINANCE, "refund": FINANCE, "pay-back": FINANCE, "pay-back-as-credits": FINANCE,
    },
    "payments.refund": {
        "was-ours": FINANCE, "was-not-ours": FINANCE, "mark-paid-back": FINANCE, "pay-as-credits": FINANCE,
    },
    "payments.webhookevent": {"process-again": FINANCE},
    "vending.machine": {
        "read-stock": CASES, "maintenance-on": CASES, "maintenance-off": CASES, "printer-works": CASES,
    },
    "vending.printjob": {
        "check-now": CASES, "go-on": CASES, "send-again": CASES, "send-elsewhere": CASES, "reprint": CASES, "reprint-for-nothing": CASES,
        "mark-collected": CASES, "cancel": CASES,
    },
    "vending.vendingsession": {"cancel": CASES},
}  # fmt: skip
#: Not about money, cases or rights; by name only, so that a new act is decided about.
ALSO = {
    "core.notification", "core.staffitem", "payments.reconciledifference", "payments.shippingnotice",
    "payments.statementrun", "payments.webhookdelivery", "payments.webhookendpoint", "core.staffrequest",
}  # fmt: skip


def row(label: str) -> Any:
    makers: dict[str, Any] = {
        "accounts.apikey": factories.api_key, "accounts.user": factories.user, "accounts.usertoken": factories.user_token,
        "catalog.caseproduct": factories.product, "catalog.creditpack": goods.pack, "catalog.plan": goods.plan,
        "credits.creditaccount": factories.credit_account,
        "payments.dispute": lambda: Dispute.objects.create(
            intent=factories.intent(status="succeeded", captured_minor=1999), provider_ref="dp_1", amount_minor=1, currency="GBP"
        ),
        "payments.gatewayswitch": lambda: GatewaySwitch.objects.get_or_create(gateway="stripe")[0],
        "payments.paymentintent": lambda: factories.intent(status="succeeded", captured_minor=1999),
        "payments.refund": factories.refund, "payments.webhookevent": factories.webhook_event,
        "vending.machine": factories.machine, "vending.vendingsession": factories.session,
        "vending.printjob": lambda: factories.print_job(status="failed", due_at=None),
    }  # fmt: skip
    return makers[label]()


def test_every_act_is_decided_about() -> None:
    there = {
        model._meta.label_lower: {act.name for act in getattr(page, "acts", ())}
        for model, page in django_admin.site._registry.items()
    }
    found = {label: acts for label, acts in there.items() if acts and label not in ALSO}
    assert found == {label: set(acts) for label, acts in MAY.items()}


@pytest.mark.parametrize("label", sorted(MAY))
@pytest.mark.parametrize("role", ["", "support", "finance", "operator", "developer"])
def test_a_direct_post_beyond_somebodys_rights_changes_nothing(member: Any, label: str, role: str) -> None:
    desk, obj = member(role), row(label)
    model = type(obj)
    before = model._default_manager.filter(pk=obj.pk).values().get()
    typed = {"reason": "because", "amount": "1", "person": "", "choice": "X", "seen": "x", "sure": "on"}
    for act, groups in MAY[label].items():
        page = reverse(f"admin:{label.replace('.', '_')}_act", args=[obj.pk, act])
        if role in groups:
            assert desk.client.get(page).status_code == 200, act
            continue
        for answer in (
            desk.client.get(page),
            desk.client.post(page, typed),
            desk.client.post(page, {**typed, "show": "1"}),
        ):
            assert answer.status_code == 403, act
        desk.act_on(label.replace(".", "_"), [obj], act, apply="1", **typed)
    assert model._default_manager.filter(pk=obj.pk).values().get() == before
    made = (AuditEntry, StaffRequest, StaffMove, StaffItem, Notification, ShippingNotice)
    assert [kind.__name__ for kind in made if kind._default_manager.exists()] == []


def test_items_are_not_closed_by_those_who_may_only_look(viewer: Any) -> None:
    staff_items.open_item(kind="second_person", subject="SR1", title="t")
    item = StaffItem.objects.get()
    assert viewer("core.view_staffitem").act("core_staffitem", item, "resolve", "gone").status_code == 403
    item.refresh_from_db()
    assert item.resolved_at is None

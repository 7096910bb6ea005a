"""What each role at the desk may see and do: one table; the groups in the database follow it.

Here: the four groups that a migration makes. Not here: the acts (each names its permission), superusers (they may do
everything). Whoever needs other rights makes a further group: these four are set back to the table when it changes.

Guarantees: `keep` is idempotent and touches no other group. Raises `LookupError` for a permission that does not exist;
in a migration such a one belongs to a table that comes later, and a later migration gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: The apps whose rows a role may look at. Stripe's mirror is for developers and finance.
OURS = ("accounts", "auth", "catalog", "core", "credits", "vending", "orders", "payments")
MIRROR = ("djstripe",)

#: role: what it may do beyond looking, as app.codename.
MAY: Mapping[str, tuple[str, ...]] = {
    # Talks to customers and looks after their cases; moves no money.
    "support": (
        "core.change_staffitem",
        "core.change_notification",
        "catalog.change_shareddesign",
        "vending.change_machine",
        "vending.change_vendingsession",
        "vending.change_printjob",
    ),
    # Moves money, within limits, makes the books agree, and says what things cost.
    "finance": (
        "catalog.add_price",
        "core.change_staffitem",
        "core.change_notification",
        "core.export_audit",
        "credits.change_creditaccount",
        "orders.change_order",
        "payments.add_refund",
        "payments.change_refund",
        "payments.change_paymentintent",
        "payments.change_webhookevent",
        "payments.change_dispute",
        "payments.change_reconciledifference",
        "payments.change_gatewayswitch",
        "payments.change_webhookendpoint",
        "payments.change_webhookdelivery",
    ),
    # Stands at the machine: stock, print jobs, what is sold; not for how much.
    "operator": (
        "core.change_staffitem",
        "vending.change_machine",
        "vending.change_vendingsession",
        "vending.change_printjob",
        *(
            f"catalog.{verb}_{model}"
            for model in ("phonebrand", "phonemodel", "shell", "colour", "designtemplate", "caseproduct")
            for verb in ("add", "change")
        ),
        "catalog.change_plan",
        "catalog.change_creditpack",
    ),
    # Looks at everything and changes nothing.
    "developer": (),
}
#: Who may look at Stripe's mirror beside our own rows.
SEE_THE_MIRROR = ("finance", "developer")


def keep(groups: Any = None, permissions: Any = None) -> None:
    """Make the groups as the table says. A migration gives its own models of that moment."""
    today = groups is None or permissions is None
    if today:
        from django.contrib.auth.models import Group, Permission

        groups, permissions = Group.objects, Permission.objects
    for role, more in MAY.items():
        group, _new = groups.get_or_create(name=role)
        group.permissions.set(_rights(permissions, role, more, all_there=today))


def _rights(permissions: Any, role: str, more: Iterable[str], *, all_there: bool) -> list[Any]:
    apps = OURS + (MIRROR if role in SEE_THE_MIRROR else ())
    found = list(permissions.filter(content_type__app_label__in=apps, codename__startswith="view_"))
    for name in more:
        app, codename = name.split(".")
        one = permissions.filter(content_type__app_label=app, codename=codename).first()
        if one is not None:
            found.append(one)
        elif all_there:
            raise LookupError(f"no permission {name}")
    return found

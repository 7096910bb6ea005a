"""The sidebar, by task: what needs a person, the machines' day, money, the catalogue, people, evidence.

UNFOLD's settings name `sidebar` and `style`. Each entry is shown to whoever may view its model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pimpshop.core.admin import item_words, needs


def _entry(title: Any, model: str, icon: str, **more: Any) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{app}_{name}_changelist"),
        "permission": _may(f"{app}.view_{name}"),
        **more,
    }


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of entries: the day's work open, the rest folded."""
    waiting = sum(item_words.counts(request).values())
    badge = {"badge": waiting, "badge_variant": "danger", "badge_style": "solid"}
    return [
        {
            "items": [
                {"title": _("Overview"), "icon": "home", "link": reverse("admin:index")},
                _entry(_("Needs a person"), "core.staffitem", "priority_high", **(badge if waiting else {})),
                *needs.sidebar(request),
            ]
        },
        {"title": _("At the machines"), "items": _machines()},
        {"title": _("Orders and money"), "items": _money()},
        {"title": _("Catalogue"), "collapsible": True, "items": _catalogue()},
        {"title": _("People"), "collapsible": True, "items": _people()},
        {"title": _("Evidence"), "collapsible": True, "items": _evidence()},
    ]


def _machines() -> list[dict[str, Any]]:
    return [
        _entry(_("Machines"), "vending.machine", "kitchen"),
        _entry(_("Stock"), "vending.stocklevel", "inventory_2"),
        _entry(_("Sessions"), "vending.vendingsession", "qr_code_scanner"),
        _entry(_("Print jobs"), "vending.printjob", "print"),
    ]


def _money() -> list[dict[str, Any]]:
    return [
        _entry(_("Orders"), "orders.order", "receipt_long"),
        _entry(_("Payments"), "payments.paymentintent", "payments"),
        _entry(_("Refunds"), "payments.refund", "undo"),
        _entry(_("Disputes"), "payments.dispute", "gavel"),
        _entry(_("Requests for a second person"), "core.staffrequest", "how_to_reg"),
        _entry(_("Statements"), "payments.statementrun", "account_balance"),
        {
            "title": _("Day by day"),
            "icon": "calendar_month",
            "link": reverse("admin:payments_statementrun_days"),
            "permission": _may("payments.view_statementrun"),
        },
        _entry(_("Differences"), "payments.reconciledifference", "difference"),
        _entry(_("Deliveries told to WeChat"), "payments.shippingnotice", "local_shipping"),
        _entry(_("Ways to pay"), "payments.gatewayswitch", "toggle_on"),
        _entry(_("Inbox"), "payments.webhookevent", "inbox"),
        _entry(_("Webhook endpoints"), "payments.webhookendpoint", "webhook"),
        _entry(_("Webhook deliveries"), "payments.webhookdelivery", "outbox"),
        _entry(_("Credit accounts"), "credits.creditaccount", "account_balance_wallet"),
        _entry(_("Credit postings"), "credits.posting", "swap_vert"),
        _entry(_("Seals of postings"), "credits.seal", "verified"),
        _entry(_("Credits on hold"), "credits.hold", "lock_clock"),
        _entry(_("Plan terms"), "credits.planterm", "event_available"),
    ]


def _catalogue() -> list[dict[str, Any]]:
    return [
        _entry(_("Brands"), "catalog.phonebrand", "sell"),
        _entry(_("Phone models"), "catalog.phonemodel", "smartphone"),
        _entry(_("Shells"), "catalog.shell", "crop_portrait"),
        _entry(_("Colours"), "catalog.colour", "palette"),
        _entry(_("Templates"), "catalog.designtemplate", "dashboard_customize"),
        _entry(_("Cases and prices"), "catalog.caseproduct", "storefront"),
        _entry(_("Plans"), "catalog.plan", "event_repeat"),
        _entry(_("Credit packs"), "catalog.creditpack", "toll"),
        _entry(_("Designs"), "catalog.design", "image"),
        _entry(_("Shared designs"), "catalog.shareddesign", "share"),
    ]


def _people() -> list[dict[str, Any]]:
    return [
        _entry(_("Users"), "accounts.user", "person"),
        _entry(_("Groups"), "auth.group", "groups"),
        _entry(_("Limits of staff"), "core.stafflimit", "speed"),
        _entry(_("Log-in tokens"), "accounts.usertoken", "devices"),
        _entry(_("API keys"), "accounts.apikey", "key"),
        _entry(_("WeChat identities"), "accounts.wechatidentity", "qr_code"),
        _entry(_("Joined accounts"), "payments.joinedaccount", "merge"),
    ]


def _evidence() -> list[dict[str, Any]]:
    return [
        _entry(_("Outbound calls"), "core.outboundcall", "swap_horiz"),
        _entry(_("Outgoing events"), "payments.outboundevent", "format_list_numbered"),
        _entry(_("What staff did"), "core.auditentry", "history"),
        _entry(_("What staff moved"), "core.staffmove", "moving"),
        _entry(_("Messages to customers"), "core.notification", "mail"),
        {
            "title": _("What messages say"),
            "icon": "edit_note",
            "link": reverse("admin:core_notification_wordings"),
            "permission": _may("core.view_notification"),
        },
        *(_stripe() if apps.is_installed("djstripe") else []),
    ]


def _stripe() -> list[dict[str, Any]]:
    """Stripe's objects as the mirror has them."""
    return [
        _entry(_("Stripe: payments"), "djstripe.paymentintent", "credit_card"),
        _entry(_("Stripe: charges"), "djstripe.charge", "receipt"),
        _entry(_("Stripe: refunds"), "djstripe.refund", "undo"),
        _entry(_("Stripe: disputes"), "djstripe.dispute", "gavel"),
        _entry(_("Stripe: customers"), "djstripe.customer", "person"),
        _entry(_("Stripe: products"), "djstripe.product", "sell"),
        _entry(_("Stripe: prices"), "djstripe.price", "payments"),
    ]


def style(request: HttpRequest) -> str:
    """The desk's own style sheet."""
    return static("css/desk.css")


def favicon(request: HttpRequest) -> str:
    return static("img/favicon.svg")

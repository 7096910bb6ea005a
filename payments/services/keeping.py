"""Saving, listing, choosing and removing methods that a customer keeps at a provider (seed 5, "支付方式").

Not here: what a payment leaves behind (saved_methods.remember). Guarantees: the provider is called outside any
transaction; a card is kept at the provider alone; a method is listed and usable once the provider says so; one that is
removed here was detached there first.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from payments import registry
from payments.gateways import base
from payments.models import ProviderCustomer, SavedPaymentMethod
from payments.services import offers, outcomes, refusals, switches
from pimpshop.core import errors
from pimpshop.core.money import Money

log = structlog.get_logger(__name__)

#: A saving that the customer did not confirm (3-D Secure) in this time is asked about no more.
CONFIRM_WITHIN = timedelta(days=1)
MOST = 100


class NotSaved(errors.ShopError):
    """The provider or the bank said no."""

    code, status = "CARD_DECLINED", 402


@sensitive_variables()
def save(
    *,
    user: Any,
    gateway_key: str,
    kind: str,
    instrument: base.Instrument,
    default: bool,
    return_url: str,
    client_ip: str,
) -> tuple[SavedPaymentMethod, base.NextAction | None]:
    """Keep `instrument` for `user`; answers the row and, where the bank wants to see the customer, the next action.

    Raises registry.GatewayUnknown, switches.GatewayOff, refusals.InvalidPaymentMethod, NotSaved, ProviderRefused.
    """
    switches.must_be_on(gateway_key)
    gateway = registry.get(gateway_key)
    if not gateway.can_save_method:
        raise refusals.InvalidPaymentMethod(
            gettext("This gateway keeps no payment methods. Nothing was saved.")
        )
    if isinstance(instrument, base.Card):
        _must_take_cards(gateway)
    row = SavedPaymentMethod.objects.create(
        user=user, gateway=gateway.key, account=gateway.account, details={"method_type": kind}
    )
    known = ProviderCustomer.objects.filter(user=user, gateway=gateway.key, account=gateway.account).first()
    request = base.SaveMethodRequest(
        customer=base.Customer(
            customer_id=str(user.public_id), email=user.email or "", name=user.name,
            provider_ref=known.customer_ref if known else "",
        ),
        idempotency_key=f"{row.token}:save", instrument=instrument, return_url=return_url, client_ip=client_ip,
    )  # fmt: skip
    try:
        result = gateway.save_method(request)
    except base.GatewayError as error:
        row.delete()
        raise _refusal(error) from error
    return _learn(row, result, default=default), result.next_action


def _must_take_cards(gateway: base.Gateway) -> None:
    """Raises InvalidPaymentMethod where card numbers may not pass through us."""
    for currency in ("USD", "GBP", "EUR", "CNY"):
        if any(info.key == "card" for info in gateway.methods(currency, Money(10_000, currency))):
            return
    raise refusals.InvalidPaymentMethod(
        gettext("Card numbers are not taken here. Send a token that was made in the browser (pm_…).")
    )


def _refusal(error: base.GatewayError) -> errors.ShopError:
    if isinstance(error, base.GatewayDeclined):
        status, code, message = outcomes.declined(error)
        return NotSaved(message, code=code, status=status)
    log.warning("payment_method_not_saved", error=error.code)
    return refusals.ProviderRefused()


def _learn(row: SavedPaymentMethod, result: base.SavedMethodResult, *, default: bool) -> SavedPaymentMethod:
    """Write down what the provider said. Raises NotSaved when it said no; the same method again is the first row."""
    if result.status in (base.PaymentStatus.FAILED, base.PaymentStatus.CANCELED):
        row.delete()
        detail = result.error or base.ErrorDetail(code=base.ErrorCode.CARD_DECLINED)
        raise _refusal(base.GatewayDeclined(detail.message, code=detail.code))
    fields: dict[str, Any] = {"setup_ref": result.setup_ref, "customer_ref": result.customer_ref}
    if result.details is not None:
        fields["details"] = asdict(result.details)
    if result.status == base.PaymentStatus.SUCCEEDED and result.method_ref:
        fields["method_ref"] = result.method_ref
    try:
        with transaction.atomic():
            _note_customer(row, result.customer_ref)
            SavedPaymentMethod.objects.filter(pk=row.pk).update(**fields)
            row.refresh_from_db()
            if row.method_ref and default:
                _make_default(row)
            elif default:
                SavedPaymentMethod.objects.filter(pk=row.pk).update(
                    details={**row.details, "wants_default": True}
                )
    except IntegrityError:
        known = _same(row, result.method_ref)
        return choose(known) if default else known
    row.refresh_from_db()
    return row


def _same(row: SavedPaymentMethod, method_ref: str) -> SavedPaymentMethod:
    """That method is kept already: the customer's own row is the answer, and somebody else's is nobody's business."""
    row.delete()
    known = SavedPaymentMethod.objects.filter(
        gateway=row.gateway, account=row.account, method_ref=method_ref, removed_at=None, user_id=row.user_id
    ).first()
    if known is None:
        raise refusals.InvalidPaymentMethod
    return known


def _note_customer(row: SavedPaymentMethod, customer_ref: str) -> None:
    if customer_ref:
        ProviderCustomer.objects.get_or_create(
            user=row.user, gateway=row.gateway, account=row.account, defaults={"customer_ref": customer_ref}
        )


def _make_default(row: SavedPaymentMethod) -> None:
    """The one default of its customer; inside the caller's transaction."""
    rows = SavedPaymentMethod.objects.filter(user_id=row.user_id, removed_at=None)
    list(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    rows.filter(is_default=True).exclude(pk=row.pk).update(is_default=False)
    rows.filter(pk=row.pk).update(is_default=True)


def kept(user: Any) -> list[SavedPaymentMethod]:
    """The customer's usable methods, the default first. What waits for the bank's word is asked about."""
    waiting = SavedPaymentMethod.objects.filter(
        user=user, method_ref="", removed_at=None, created_at__gt=timezone.now() - CONFIRM_WITHIN
    ).exclude(setup_ref="")
    for row in waiting[:5]:
        _ask(row)
    rows = SavedPaymentMethod.objects.filter(user=user, removed_at=None).exclude(method_ref="")
    return list(rows.order_by("-is_default", "-pk")[:MOST])


def _ask(row: SavedPaymentMethod) -> None:
    try:
        result = registry.get(row.gateway).query_saved_method(row.setup_ref)
        _learn(row, result, default=bool(row.details.get("wants_default")))
    except (base.GatewayError, registry.GatewayUnknown, NotSaved, refusals.InvalidPaymentMethod) as error:
        log.info("payment_method_not_ready", method=row.token, error=type(error).__name__)


def find(token: uuid.UUID, *, user_id: int | None, sees_all: bool) -> SavedPaymentMethod:
    """The living method with that token, of that user; one that waited for the bank's word is asked about first. Raises
    MethodNotFound, also while the bank has not said yes."""
    row = SavedPaymentMethod.objects.select_related("user").filter(public_id=token, removed_at=None).first()
    if row is None or not (sees_all or (user_id is not None and row.user_id == user_id)):
        raise refusals.MethodNotFound
    if not row.method_ref and not _confirmed(row):
        raise refusals.MethodNotFound
    return row


def _confirmed(row: SavedPaymentMethod) -> bool:
    """Is a method usable by now that the bank wanted to see the customer for? The provider is asked."""
    if not row.setup_ref or row.created_at < timezone.now() - CONFIRM_WITHIN:
        return False
    _ask(row)
    return SavedPaymentMethod.objects.filter(pk=row.pk, removed_at=None).exclude(method_ref="").exists()


def choose(row: SavedPaymentMethod) -> SavedPaymentMethod:
    """Make it the customer's default."""
    with transaction.atomic():
        _make_default(row)
    row.refresh_from_db()
    return row


def remove(row: SavedPaymentMethod) -> None:
    """Detach it at the provider, then here. Raises ProviderRefused: then it is still there."""
    method = base.SavedMethod(method_ref=row.method_ref, customer_ref=row.customer_ref)
    try:
        registry.get(row.gateway).delete_method(method)
    except base.GatewayError as error:
        log.warning("payment_method_not_removed", method=row.token, error=error.code)
        raise refusals.ProviderRefused(
            gettext("The provider did not remove it just now. It is still saved. Please try again.")
        ) from error
    SavedPaymentMethod.objects.filter(pk=row.pk, removed_at=None).update(
        removed_at=timezone.now(), is_default=False
    )


def shown(row: SavedPaymentMethod) -> dict[str, Any]:
    """What may be shown of a kept method, in seed 5's words."""
    told = outcomes.method(row.details)
    told.pop("token")
    return told


#: The kinds that can be kept.
KINDS = (*offers.CARD_KEYS[:2], "bank_transfer")

"""Methods that a user keeps at a provider, and who the user is there.

Guarantees: one row per method; at most one default per user (by constraint); rows never hold more than may be shown and
the provider's own references. `remember` runs inside the settling transaction.
"""

from __future__ import annotations

from dataclasses import asdict

from payments.gateways import base
from payments.models import PaymentIntent, ProviderCustomer, SavedPaymentMethod


def remember(intent: PaymentIntent, result: base.PaymentResult) -> None:
    """After a payment: who the buyer is at the provider, and the method if it was to be saved. Idempotent."""
    if not (result.customer_ref or (intent.save_method and result.saved_ref)):
        return
    user = intent.order.user
    if user is None:
        return
    if result.customer_ref:
        ProviderCustomer.objects.get_or_create(
            user=user, gateway=intent.gateway, account=intent.account,
            defaults={"customer_ref": result.customer_ref},
        )  # fmt: skip
    if intent.save_method and result.saved_ref:
        saved, _new = SavedPaymentMethod.objects.get_or_create(
            gateway=intent.gateway, account=intent.account, method_ref=result.saved_ref, removed_at=None,
            defaults={
                "user": user,
                "customer_ref": result.customer_ref,
                "details": asdict(result.method_details) if result.method_details else {},
                "is_default": not SavedPaymentMethod.objects.filter(
                    user=user, is_default=True, removed_at=None
                ).exists(),
            },
        )  # fmt: skip
        metadata = {**intent.metadata, "saved_method": saved.token}
        PaymentIntent.objects.filter(pk=intent.pk).update(metadata=metadata)
        intent.metadata = metadata

"""Celery tasks and sweep rounds of payments: they name a row, and the row says what is due."""

from __future__ import annotations

from celery import shared_task

from pimpshop.core import bell, sweeper


@shared_task(name="payments.tasks.process_inbox_event", time_limit=120, soft_time_limit=90)
def process_inbox_event(event_pk: int) -> bool:
    """Work on one stored event, then on what else is due (in a burst not every event has a message: bell.ring)."""
    from payments.services import inbox

    ended = inbox.process(event_pk)
    sweeper.each(inbox.due(), inbox.process)
    return ended


@shared_task(name="payments.tasks.send_refund", time_limit=120, soft_time_limit=90)
def send_refund(refund_pk: int) -> bool:
    """Send one refund to its provider, or ask about it."""
    from payments.services import refund_steps

    return refund_steps.send(refund_pk)


@sweeper.round("refunds to send or ask about", every=1)
def _refunds() -> int:
    from payments.services import refund_steps

    return sweeper.each(refund_steps.due(), refund_steps.send)


@sweeper.round("inbox", every=1)
def _inbox() -> int:
    from payments.services import inbox

    return sweeper.each(inbox.due(), inbox.process)


@sweeper.round("payments to ask about", every=1)
def _payments() -> int:
    from payments.services import sync

    return sweeper.each(sync.due(), sync.check_due)


@sweeper.round("unpaid orders to cancel", every=5)
def _unpaid_orders() -> int:
    from payments.services import unpaid_orders

    return sweeper.each(unpaid_orders.due(), unpaid_orders.close_due)


@shared_task(name="payments.tasks.deliver_webhooks", time_limit=60, soft_time_limit=45)
def deliver_webhooks() -> int:
    """Send what is due to the merchants' endpoints."""
    from payments.services import deliveries

    return deliveries.deliver_due()


@sweeper.round("events to publish", every=1)
def _events() -> int:
    from payments.services import outbox

    return outbox.publish_due()


@sweeper.round("webhook deliveries", every=1)
def _deliveries() -> int:
    from payments.services import deliveries

    return deliveries.deliver_due()


@sweeper.round("deliveries to tell WeChat", every=30)
def _shipping() -> int:
    from payments.services import shipping

    return shipping.plan_due() + sweeper.each(shipping.due(), shipping.send)


@sweeper.round("joined accounts", every=60)
def _joined() -> int:
    from payments.services import merging

    return sweeper.each(merging.due(), merging.gather)


@sweeper.round("statements to compare", every=300)
def _statements() -> int:
    from payments.services import reconcile

    reconcile.plan_due()
    return sweeper.each(reconcile.due(), reconcile.run)


@shared_task(name="payments.tasks.mirror_stripe", time_limit=120, soft_time_limit=90)
def mirror_stripe() -> int:
    """Show staff what Stripe's events were about. In a worker only: Stripe's answers keep no money waiting."""
    from payments.services import stripe_mirror

    return sweeper.each(stripe_mirror.due(), stripe_mirror.reflect, seconds=60)


@shared_task(name="payments.tasks.mirror_stripe_prices", time_limit=120, soft_time_limit=90)
def mirror_stripe_prices() -> int:
    """Show staff Stripe's price list as it is now."""
    from payments.services import stripe_mirror

    return stripe_mirror.mirror_prices()


@sweeper.round("stripe mirror", every=5)
def _mirror() -> int:
    from payments.services import stripe_mirror

    if stripe_mirror.due(limit=1):
        bell.ring(mirror_stripe, thin=True)
    return 0


@sweeper.round("messages about refunds to write", every=1)
def _news() -> int:
    from payments.services import news

    return news.write_due()


@sweeper.round("payments, disputes and shares that need a person", every=60)
def _watch() -> int:
    from payments.services import watching

    return watching.look_around()


@shared_task(name="payments.tasks.ask_stripe_for_prices", time_limit=120, soft_time_limit=90)
def ask_stripe_for_prices() -> int:
    """What Stripe says that our plans and packs cost, as far as it is due; then the items."""
    from payments.services import stripe_prices

    return sweeper.each(stripe_prices.due(), stripe_prices.ask, seconds=60) + stripe_prices.tell()


@sweeper.round("prices at Stripe", every=60)
def _prices() -> int:
    """A few at a time: they are due every six hours."""
    from payments.services import stripe_prices

    made = stripe_prices.keep_rows()
    return made + sweeper.each(stripe_prices.due(5), stripe_prices.ask) + stripe_prices.tell()

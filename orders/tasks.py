"""Sweep rounds of orders."""

from __future__ import annotations

from pimpshop.core import sweeper


@sweeper.round("orders to complete", every=2)
def _complete() -> int:
    from orders.services import fulfilment

    return fulfilment.complete_printed()


@sweeper.round("credits held for orders that are over", every=30)
def _let_go() -> int:
    from orders.services import credit_parts

    return credit_parts.let_go_ended()


@sweeper.round("credits and plans to deliver", every=60)
def _deliver() -> int:
    from orders.services import granting

    return sweeper.each(granting.due(), granting.grant_again)


@sweeper.round("messages about orders to write", every=1)
def _news() -> int:
    from orders.services import news

    return news.write_due()


@sweeper.round("late cases to speak of", every=30)
def _late() -> int:
    from orders.services import news

    return news.write_late()


@sweeper.round("pictures to remove", every=3600)
def _forget() -> int:
    from orders.services import forgetting

    return forgetting.forget_printed()

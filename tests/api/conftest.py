"""The API's tests stand on the flows' shop: one machine, one case, the manufacturer on the wire. Seed 5's have Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from tests.flows.conftest import manufacturer, nothing_changes, phone, shop
from tests.support.stripe_books import StripeBooks

__all__ = ["manufacturer", "nothing_changes", "phone", "shop"]


@pytest.fixture
def stripe_books() -> Iterator[StripeBooks]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield StripeBooks(mock)

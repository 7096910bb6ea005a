"""Two clicks at once, and many refunds at once, through seed 2's doors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from orders.models import Order
from payments.models import PaymentIntent, Refund
from tests import factories
from tests.api.wechat_callers import of_user, with_key
from tests.support import goods, wechat_books
from tests.support.shop import assert_invariants
from tests.support.wechat_books import WechatBooks

pytestmark = pytest.mark.race


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[WechatBooks]:
    wechat_books.put_on(settings)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield WechatBooks(mock)
    assert_invariants()


def at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    """What `count` threads answered."""
    from django.db import connection

    answers: list[Any] = []
    together = threading.Barrier(count)

    def one() -> None:
        together.wait(10)
        try:
            answers.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_two_clicks_give_one_code(books: WechatBooks) -> None:
    alice, pack = factories.user(), goods.pack()
    sent = {"userId": str(alice.pk), "contentId": f"pack:{pack.number}", "amount": 9.9, "subject": "Credits"}
    client = of_user(alice)
    answers = at_once(2, lambda: client.post("/native", sent))
    assert [answer.status_code for answer in answers] == [200, 200], [a.content for a in answers]
    assert answers[0].json() == answers[1].json()
    assert (Order.objects.count(), PaymentIntent.objects.count(), len(books.asked("native"))) == (1, 1, 1)


def test_refunds_at_once_never_exceed_the_payment(books: WechatBooks) -> None:
    alice, pack = factories.user(), goods.pack()
    sent = {"userId": str(alice.pk), "contentId": f"pack:{pack.number}", "amount": 9.9, "subject": "Credits"}
    number = of_user(alice).post("/native", sent).json()["data"]["outTradeNo"]
    books.pays(number)
    of_user(alice).get(f"/query/{number}")
    server = with_key()
    answers = at_once(6, lambda: server.post("/refund", {"outTradeNo": number, "refundAmount": 4}))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400, 400]
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 800
    assert sum(one["amount"]["refund"] for one in books.asked("refund")) == 800

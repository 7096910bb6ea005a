"""Idempotency keys at the door of the API: header and body, replays, refusals, what is kept and what never."""

from __future__ import annotations

import decimal
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication
from accounts.services import api_keys
from pimpshop.core import errors
from pimpshop.core.api.idempotent import idempotent, without_codes
from pimpshop.core.models import IdempotencyRecord
from tests.support import threads

pytestmark = pytest.mark.django_db
PATH = "/api/v1/payments"
CARD = {
    "type": "card",
    "card": {"number": "4242424242424242", "cvc": "73737373737373", "CVV2": "73737373737373"},
}


class Door:
    """A view whose handler is `work`, and how often that ran."""

    def __init__(self, work: Callable[[], Response]) -> None:
        door = self

        class View(APIView):
            authentication_classes = [BearerAuthentication]
            permission_classes: list[Any] = []

            @idempotent
            def post(self, request: Request) -> Response:
                with door.lock:
                    door.ran += 1
                return work()

        self.ran, self.lock, self.view = 0, threading.Lock(), View.as_view()

    def post(self, body: Any = None, *, key: str = "", caller: str = "", path: str = PATH) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        if caller:
            headers["Authorization"] = f"Bearer {caller}"
        return self.view(APIRequestFactory().post(path, body or {}, format="json", headers=headers))


@pytest.fixture
def caller() -> str:
    return api_keys.create(kind="secret", name="till")[0]


def made() -> Response:
    """As serializers answer: with a Decimal, a UUID and a time in it."""
    data = {
        "id": uuid.uuid4(),
        "amount": decimal.Decimal("19.99"),
        "client_secret": "cs-1234",
        "at": timezone.now(),
    }
    return Response(data, status=201, headers={"Location": "/x"})


def test_the_first_answer_again(caller: str) -> None:
    door = Door(made)
    first = door.post({"amount": 19.99}, key="k1", caller=caller).render()
    again = door.post({"amount": 19.99}, key="k1", caller=caller).render()
    assert (first.status_code, again.status_code, door.ran) == (201, 201, 1)
    assert again.content == first.content
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")


def test_header_and_body_are_one_key(caller: str) -> None:
    door = Door(made)
    door.post({"amount": 1}, key="k1", caller=caller)
    assert door.post({"amount": 1, "idempotency_key": "k1"}, caller=caller)["Idempotent-Replayed"] == "true"
    assert (
        door.post({"amount": 1, "idempotency_key": "k1"}, key="k1", caller=caller)["Idempotent-Replayed"]
        == "true"
    )
    assert door.ran == 1


@pytest.mark.parametrize("field", ["k2", "", 7, ["k1"], {"a": 1}])
def test_a_key_that_differs_or_is_none_is_400_and_nothing_runs(caller: str, field: Any) -> None:
    door = Door(made)
    assert door.post({"idempotency_key": field}, key="k1", caller=caller).status_code == 400
    assert (door.ran, IdempotencyRecord.objects.count()) == (0, 0)


@pytest.mark.parametrize(("body", "path"), [({"amount": 2}, PATH), ({"amount": 1}, f"{PATH}/pay_1/capture")])
def test_another_body_or_route_is_409(caller: str, body: Any, path: str) -> None:
    door = Door(made)
    door.post({"amount": 1}, key="k1", caller=caller)
    answer = door.post(body, key="k1", caller=caller, path=path)
    assert (answer.status_code, answer.data["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert door.ran == 1


def test_owners_have_their_own_keys_and_strangers_none(caller: str) -> None:
    other, _row = api_keys.create(kind="secret", name="other till")
    door = Door(made)
    for who in (caller, other, "", ""):
        assert "Idempotent-Replayed" not in door.post({"amount": 1}, key="k1", caller=who)
    assert (door.ran, IdempotencyRecord.objects.count()) == (4, 2)


def test_without_a_key_every_post_is_one(caller: str) -> None:
    door = Door(made)
    door.post({"amount": 1}, caller=caller)
    door.post({"amount": 1}, caller=caller)
    assert (door.ran, IdempotencyRecord.objects.count()) == (2, 0)


def _raise(error: Exception) -> Callable[[], Response]:
    def work() -> Response:
        raise error

    return work


@pytest.mark.parametrize("work", [
    _raise(errors.Unavailable()), _raise(RuntimeError("surprise")), _raise(ValidationError("bad")),
    _raise(errors.ShopError()), _raise(errors.TooManyRequests(retry_after=3)), _raise(errors.Conflict(retry_after=2)),
    lambda: Response(status=502), lambda: Response(status=422),
])  # fmt: skip
def test_failures_of_ours_and_bad_input_free_the_key(caller: str, work: Callable[[], Response]) -> None:
    door = Door(work)
    first = door.post({"amount": 1}, key="k1", caller=caller)
    assert IdempotencyRecord.objects.count() == 0
    assert door.post({"amount": 2}, key="k1", caller=caller).status_code == first.status_code
    assert door.ran == 2


@pytest.mark.parametrize(("work", "status"), [
    (lambda: Response({"status": "failed"}, status=402), 402),
    (_raise(errors.Conflict(code="ORDERPAID")), 409), (_raise(errors.NotFound()), 404),
    (lambda: Response(status=204), 204),
])  # fmt: skip
def test_a_decision_is_kept(caller: str, work: Callable[[], Response], status: int) -> None:
    door = Door(work)
    first = door.post({"amount": 1}, key="k1", caller=caller)
    again = door.post({"amount": 1}, key="k1", caller=caller)
    assert (first.status_code, again.status_code, again.data, door.ran) == (status, status, first.data, 1)


def test_no_card_and_no_code_is_in_the_row(caller: str) -> None:
    door = Door(made)
    door.post({"payment_method": CARD}, key="k1", caller=caller)
    row = str(IdempotencyRecord.objects.values().get())
    for secret in ("4242424242424242", "73737373737373", "cs-1234"):
        assert secret not in row
    assert without_codes(CARD) == {"type": "card", "card": {"number": "4242424242424242"}}


def test_the_code_of_a_card_is_not_even_compared_but_its_number_is(caller: str) -> None:
    door = Door(made)
    door.post({"payment_method": [CARD]}, key="k1", caller=caller)
    other_code = {"type": "card", "card": {**CARD["card"], "cvc": "000"}}  # type: ignore[dict-item]
    other_card = {"type": "card", "card": {**CARD["card"], "number": "4000000000000002"}}  # type: ignore[dict-item]
    assert door.post({"payment_method": [other_code]}, key="k1", caller=caller).status_code == 201
    assert door.post({"payment_method": [other_card]}, key="k1", caller=caller).status_code == 409
    assert door.ran == 1


def test_an_answer_that_cannot_be_opened_is_not_made_up(caller: str, settings: Any) -> None:
    door = Door(made)
    door.post({"amount": 1}, key="k1", caller=caller)
    IdempotencyRecord.objects.update(response_body="rubbish")
    assert door.post({"amount": 1}, key="k1", caller=caller).status_code == 409
    assert door.ran == 1


@pytest.mark.django_db(transaction=True)
def test_twelve_posts_at_once_are_one_payment(caller: str) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow() -> Response:
        started.set()
        assert go_on.wait(60)
        return Response({"id": 1}, status=201)

    door = Door(slow)

    def post(number: int) -> tuple[int, str | None]:
        answer = door.post({"amount": 1}, key="k1", caller=caller)
        if answer.status_code == 409:
            go_on.set()
        return answer.status_code, answer.get("Retry-After")

    answers = threads.together(12, post)
    assert sorted({status for status, _wait in answers}) == [201, 409]
    assert {wait for status, wait in answers if status == 409} <= {"1", "2"}
    assert (door.ran, door.post({"amount": 1}, key="k1", caller=caller).data) == (1, {"id": 1})

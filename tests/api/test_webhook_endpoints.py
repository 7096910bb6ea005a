"""Webhook endpoints, deliveries and events over the API: each call, both prefixes, who sees what, bad input."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.test import Client
from standardwebhooks import Webhook

from accounts.services import api_keys
from payments.api import doors
from payments.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from payments.services import deliveries, outbox
from pimpshop.core import throttles
from pimpshop.core.states import remark
from tests import factories
from tests.support import receivers
from tests.support.receivers import Receiver

pytestmark = pytest.mark.django_db

PATH = "/api/v1/webhook-endpoints"


class Api:
    """A program with a key."""

    def __init__(self, *, kind: str = "secret", user: Any = None, scopes: tuple[str, ...] = ()) -> None:
        key, self.row = api_keys.create(kind=kind, name="test", user=user, scopes=scopes)
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(path, {} if body is None else body, content_type="application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(path)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receivers.receiving() as made:
        settings.OUTBOUND_ALLOWED_HOSTS = [made.place]
        yield made


@pytest.fixture
def api(db: None) -> Api:
    return Api()


def make(api: Api, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = api.post(PATH, {"url": receiver.url, **more})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def deliver_all() -> None:
    for row in WebhookDelivery.objects.filter(status="pending"):
        deliveries.deliver(row.pk)


# --- The way of a merchant --------------------------------------------------------------------------------------------
def test_from_a_new_endpoint_to_a_verified_event(api: Api, receiver: Receiver) -> None:
    made = make(api, receiver, events=["payment.created", "payment.failed"], description="books")
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.user_id, endpoint.api_key_id) == (None, api.row.pk)
    secret = made.pop("secret")
    assert made == {
        "id": f"we_{endpoint.public_id}", "url": receiver.url, "events": ["payment.created", "payment.failed"],
        "description": "books", "is_active": True, "disabled_at": None, "disabled_reason": "", "failing_since": None,
        "old_secret_expires_at": None, "created_at": made["created_at"],
    }  # fmt: skip
    remark(factories.intent(), source="api", reason="created")
    outbox.publish_due()
    deliver_all()
    [post] = receiver.posts
    told = Webhook(secret).verify(post.body, post.headers)
    assert api.get("/api/v1/events").json() == {"data": [told], "has_more": False}
    assert api.get(f"/api/v1/events/{told['id']}").json() == told
    [delivery] = api.get(f"{PATH}/{made['id']}/deliveries").json()["data"]
    assert (delivery["status"], delivery["event_id"], delivery["endpoint_id"], delivery["last_status"]) == (
        "delivered", told["id"], made["id"], 200,
    )  # fmt: skip
    shown = api.get(f"/api/v1/webhook-deliveries/{delivery['id']}").json()
    assert [(attempt["number"], attempt["status"]) for attempt in shown["log"]] == [(1, 200)]


def test_the_secret_is_shown_once(api: Api, receiver: Receiver) -> None:
    made = api.post(PATH, {"url": receiver.url})
    secret = made.json()["secret"]
    assert made["Cache-Control"] == "no-store"
    where = f"{PATH}/{made.json()['id']}"
    for answer in (api.get(PATH), api.get(where), api.post(where, {"description": "x"})):
        assert answer.status_code == 200
        assert "secret" not in answer.content.decode().replace("old_secret_expires_at", "")
    rotated = api.post(f"{where}/rotate-secret", {"old_secret_hours": 1})
    assert rotated.json()["secret"] != secret
    assert rotated.json()["old_secret_expires_at"] is not None
    api.post(f"{where}/test")
    deliver_all()
    [post] = receiver.posts
    assert post.json["type"] == "webhook.test"
    for valid in (secret, rotated.json()["secret"]):
        Webhook(valid).verify(post.body, post.headers)


def test_an_endpoint_is_changed_switched_and_deleted(api: Api, receiver: Receiver) -> None:
    where = f"{PATH}/{make(api, receiver)['id']}"
    changed = api.post(where, {"events": ["refund.failed", "refund.failed"], "is_active": False}).json()
    assert (changed["events"], changed["is_active"], changed["disabled_reason"]) == (
        ["refund.failed"], False, "by its owner",
    )  # fmt: skip
    assert api.post(f"{where}/test").json()["error"]["code"] == "ENDPOINT_DISABLED"
    assert api.post(where, {"is_active": True}).json()["is_active"] is True
    assert api.delete(where).status_code == 204
    assert [api.get(where).status_code, api.delete(where).status_code, api.get(PATH).json()["data"]] == [
        404,
        404,
        [],
    ]
    row = WebhookEndpoint.objects.get()
    assert (row.secret_sealed, row.old_secret_sealed, row.is_active) == ("", "", False)


def test_an_ended_delivery_is_sent_again(api: Api, receiver: Receiver) -> None:
    where = f"{PATH}/{make(api, receiver)['id']}"
    delivery = api.post(f"{where}/test").json()
    again = f"/api/v1/webhook-deliveries/{delivery['id']}/resend"
    assert api.post(again).json()["error"]["code"] == "DELIVERY_PENDING"
    deliver_all()
    sent = api.post(again)
    assert (sent.status_code, sent.json()["status"]) == (202, "pending")
    deliver_all()
    assert [post.event_id for post in receiver.posts] == [delivery["event_id"]] * 2
    assert WebhookDelivery.objects.get().changes.latest("pk").to_status == "delivered"


@pytest.mark.parametrize("form", ["/api/v1{}", "/api/v1{}/", "/api/v2{}", "/api/v2{}/"])
def test_every_form_of_an_address_answers(api: Api, receiver: Receiver, form: str) -> None:
    made = api.post(form.format("/webhook-endpoints"), {"url": receiver.url})
    assert made.status_code == 201
    event = factories.outbound_event()
    for path in ("/webhook-endpoints", f"/webhook-endpoints/{made.json()['id']}", "/events", f"/events/{event.event_id}"):  # fmt: skip
        assert api.get(form.format(path)).status_code == 200


# --- Paging -----------------------------------------------------------------------------------------------------------
def test_events_are_pulled_from_behind_a_number(api: Api) -> None:
    rows = [factories.outbound_event() for _ in range(5)]
    factories.outbound_event(sequence=None, source="test", change_id=None, type="webhook.test")
    numbers = [row.sequence for row in rows]
    first = api.get("/api/v1/events", limit=2).json()
    assert ([e["sequence"] for e in first["data"]], first["has_more"]) == (numbers[:2], True)
    rest = api.get("/api/v1/events", after=numbers[1], limit=3).json()
    assert ([e["sequence"] for e in rest["data"]], rest["has_more"]) == (numbers[2:], False)
    assert api.get("/api/v1/events", after=numbers[-1]).json() == {"data": [], "has_more": False}
    assert api.get("/api/v1/events", type="refund.failed").json()["data"] == []


def test_lists_are_paged_by_the_last_one_seen(api: Api) -> None:
    ids = [factories.webhook_endpoint().endpoint_id for _ in range(3)][::-1]
    first = api.get(PATH, limit=2).json()
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (ids[:2], True)
    rest = api.get(PATH, limit=2, after=ids[1]).json()
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (ids[2:], False)
    endpoint = factories.webhook_endpoint()
    rows = [factories.webhook_delivery(endpoint).delivery_id for _ in range(3)][::-1]
    where = f"{PATH}/{endpoint.endpoint_id}/deliveries"
    assert [row["id"] for row in api.get(where, after=rows[0]).json()["data"]] == rows[1:]
    assert api.get(where, status="failed").json() == {"data": [], "has_more": False}


# --- Who sees what ----------------------------------------------------------------------------------------------------
def test_a_key_with_an_owner_sees_its_owners_and_a_foreign_one_is_a_404(receiver: Receiver) -> None:
    owner, stranger = factories.user(), factories.user()
    mine, other = Api(user=owner), Api(user=stranger)
    where = f"{PATH}/{make(mine, receiver)['id']}"
    event = factories.outbound_event(factories.intent(factories.order(user=owner)))
    row = factories.webhook_delivery(
        WebhookEndpoint.objects.get(), event, status="failed", next_attempt_at=None
    )
    delivery = f"/api/v1/webhook-deliveries/{row.delivery_id}"
    calls = [
        lambda api: api.get(where), lambda api: api.get(f"{where}/deliveries"), lambda api: api.get(delivery),
        lambda api: api.get(f"/api/v1/events/{event.event_id}"), lambda api: api.post(where, {"url": receiver.url}),
        lambda api: api.post(f"{delivery}/resend"), lambda api: api.post(f"{where}/test"),
        lambda api: api.post(f"{where}/rotate-secret"), lambda api: api.delete(where),
    ]  # fmt: skip
    kept = WebhookEndpoint.objects.values().get()
    assert [call(other).status_code for call in calls] == [404] * len(calls)
    assert WebhookEndpoint.objects.values().get() == kept
    assert WebhookDelivery.objects.get().status == "failed"
    assert other.get(PATH).json()["data"] == other.get("/api/v1/events").json()["data"] == []
    assert [call(mine).status_code for call in calls] == [200, 200, 200, 200, 200, 202, 202, 200, 204]
    assert [e["id"] for e in Api().get("/api/v1/events").json()["data"]] == [event.event_id]


@pytest.mark.parametrize(
    ("kind", "scopes", "statuses"),
    [
        ("restricted", ("webhooks:read",), [200, 403, 403]), ("restricted", ("webhooks:write",), [200, 400, 403]),
        ("restricted", ("events:read",), [403, 403, 200]), ("restricted", ("payments:write",), [403, 403, 403]),
        ("publishable", (), [403, 403, 403]),
    ],
)  # fmt: skip
def test_a_key_does_what_its_scopes_say(kind: str, scopes: tuple[str, ...], statuses: list[int]) -> None:
    api = Api(kind=kind, scopes=scopes)
    answers = [api.get(PATH), api.post(PATH, {}), api.get("/api/v1/events")]
    assert [answer.status_code for answer in answers] == statuses
    assert not WebhookEndpoint.objects.exists()


def test_nobody_and_shoppers_see_nothing() -> None:
    shopper = Client()
    shopper.force_login(factories.user())
    for path in (PATH, "/api/v1/events", f"/api/v1/events/evt_{uuid.uuid4()}"):
        assert Client().get(path).status_code == 401
        assert shopper.get(path).status_code == 403


# --- Bad input --------------------------------------------------------------------------------------------------------
BAD_URLS = [
    "", "merchant.example", "ftp://merchant.example/", "http://merchant.example/", "https://user:pw@merchant.example/",
    "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/",
    "https://[fe80::1]/", "https://2130706433/", "https://0x7f.1/", "https://localhost/", "https://93.184.215.14:8443/",
    "https://93.184.215.14:22/", "https://a b/", "https://x/" + "a" * 600, "https://nowhere.invalid/", None, 7, ["https://x/"],
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_is_not_public_https_is_refused(api: Api, url: Any) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        answer = api.post(PATH, {"url": url})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
        assert len(wire.calls) == 0
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "text", {"url": "U", "events": []}, {"url": "U", "events": ["payment.exploded"]}, {"url": "U", "events": "*"},
        {"url": "U", "events": [1]}, {"url": "U", "events": ["*"] * 21}, {"url": "U", "description": "x" * 201},
        {"url": "U", "description": 5}, {"url": "U", "events": None},
    ],
)  # fmt: skip
def test_a_bad_body_makes_nothing(api: Api, receiver: Receiver, body: Any) -> None:
    if isinstance(body, dict) and body.get("url") == "U":
        body = {**body, "url": receiver.url}
    answer = api.post(PATH, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"url": "http://127.0.0.1:1/"}), ("", {"events": []}), ("", {"is_active": "yes"}), ("", {"is_active": None}),
        ("/rotate-secret", {"old_secret_hours": -1}), ("/rotate-secret", {"old_secret_hours": 169}),
        ("/rotate-secret", {"old_secret_hours": "1"}), ("/rotate-secret", {"old_secret_hours": True}),
    ],
)  # fmt: skip
def test_a_bad_change_changes_nothing(api: Api, path: str, body: dict[str, Any]) -> None:
    endpoint = factories.webhook_endpoint()
    kept = WebhookEndpoint.objects.values().get()
    answer = api.post(f"{PATH}/{endpoint.endpoint_id}{path}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert WebhookEndpoint.objects.values().get() == kept


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/events", {"after": "x"}), ("/api/v1/events", {"after": -1}), ("/api/v1/events", {"after": 2**70}),
        ("/api/v1/events", {"limit": 101}), ("/api/v1/events", {"limit": 0}), ("/api/v1/events", {"type": "payment.exploded"}),
        (PATH, {"limit": 101}), (PATH, {"limit": "many"}),
    ],
)  # fmt: skip
def test_a_bad_query_is_named(api: Api, path: str, query: dict[str, Any]) -> None:
    answer = api.get(path, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("prefix", ["we_", "", "pay_", "WE_"])
def test_what_is_no_id_is_a_404(api: Api, prefix: str) -> None:
    endpoint = factories.webhook_endpoint()
    strange = [uuid.uuid4(), str(endpoint.public_id).upper(), endpoint.public_id.hex, "x", "%00", "é"]
    for tail in [*strange, *([] if prefix == "we_" else [endpoint.public_id])]:
        answer = api.get(f"{PATH}/{prefix}{tail}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert api.get(PATH, after=f"{prefix}{uuid.uuid4()}").status_code == 404


def test_an_owner_has_twenty_endpoints_at_most(api: Api, receiver: Receiver) -> None:
    for _ in range(20):
        factories.webhook_endpoint()
    answer = api.post(PATH, {"url": receiver.url})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "TOO_MANY_ENDPOINTS")
    assert WebhookEndpoint.objects.count() == 20
    assert make(Api(user=factories.user()), receiver)["is_active"] is True


def test_sending_is_limited(api: Api, receiver: Receiver) -> None:
    where = f"{PATH}/{make(api, receiver)['id']}/test"
    statuses = [api.post(where).status_code for _ in range(31)]
    assert statuses == [202] * 30 + [429]
    assert OutboundEvent.objects.count() == 30


@pytest.mark.parametrize(
    "path",
    [PATH, f"{PATH}/we_1", "/api/v1/events", "/api/v1/events/evt_1", "/api/v1/webhook-deliveries/wd_1"],
)
def test_reading_is_limited_per_key_and_address(api: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(doors, "READ_PER_SERVER", throttles.Limit("test-reads", 2, 60))
    statuses = [api.get(path).status_code for _ in range(3)]
    assert (statuses[0] in (200, 404), statuses[2]) == (True, 429)
    monkeypatch.setattr(doors, "PER_ADDRESS", throttles.Limit("test-guesses", 1, 60))
    stranger = Client(headers={"Authorization": "Bearer shop_sk_guessed"})
    assert [stranger.get(path).status_code for _ in range(2)] == [401, 429]

"""A client of seed 1, step by step: a phone or a screen that speaks the vending API, and what to look at afterwards.

It sends what the seed's examples send. Not here: assertions about single answers (tests/api), the manufacturer's side
(tests/support/manufacturer).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.support import images
from tests.support.manufacturer import Manufacturer

JSON = "application/json"
PAY_STATUS = "/api/chinese/order/payStatus"


def picture(width: int = 600, height: int = 1200) -> str:
    """A PNG as the data URL that clients send."""
    return images.data_url(images.photo(width, height, image_format="PNG"))


@dataclass
class Phone:
    """One client of the API with cookies of its own. Each step answers (status, JSON)."""

    machine_id: str = "CXYLOGD8OQUK"
    model_id: str = ""
    shell_id: str = ""
    session_id: str = ""
    client: Client = field(default_factory=Client)

    @property
    def base(self) -> str:
        return f"/api/vending/session/{self.session_id}"

    def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        answer = self.client.post(path, {} if body is None else body, content_type=JSON, headers=headers)
        return answer.status_code, answer.json()

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        answer = self.client.get(path, headers=headers)
        return answer.status_code, answer.json()

    # --- the steps ---

    def create(self, **more: Any) -> tuple[int, Any]:
        status, body = self.post("/api/vending/create-session", {"machine_id": self.machine_id, **more})
        if status == 200:
            self.session_id = body["session_id"]
        return status, body

    def register(self, **more: Any) -> tuple[int, Any]:
        told = {"machine_id": self.machine_id, "session_id": self.session_id, **more}
        return self.post(f"{self.base}/register-user", told)

    def order(self, **more: Any) -> dict[str, Any]:
        """The seed's flat order-summary."""
        return {
            "designImage": picture(),
            "price": 19.99,
            "chinese_model_id": self.model_id,
            "mobile_shell_id": self.shell_id,
            "device_id": self.machine_id,
            "template": "classic",
            **more,
        }

    def summary(self, **more: Any) -> tuple[int, Any]:
        return self.post(f"{self.base}/order-summary", self.order(**more))

    def init(self) -> tuple[int, Any]:
        return self.post(f"{self.base}/init-payment")

    def status(self) -> tuple[int, Any]:
        return self.get(f"{self.base}/status")

    # --- several at once ---

    def ordered(self, **more: Any) -> Phone:
        """Up to order-summary."""
        for code, body in (self.create(), self.register(), self.summary(**more)):
            assert code == 200, body
        return self

    def asked_to_pay(self, **more: Any) -> str:
        """Up to init-payment; answers the PYEN number."""
        self.ordered(**more)
        code, body = self.init()
        assert code == 200, body
        return str(body["third_id"])


def hint(third_id: str, status: Any = 3) -> None:
    """The manufacturer's payStatus post, acknowledged."""
    answer = Client().post(PAY_STATUS, {"third_id": third_id, "status": status}, content_type=JSON)
    assert answer.content == '{"msg":"操作成功","code":200,"data":"success"}'.encode()
    assert answer.status_code == 200


def let_time_pass() -> None:
    """As if the last question to the provider and the last post were more than three seconds ago."""
    from payments.models import PaymentIntent  # when the apps are there

    PaymentIntent.objects.update(last_query_at=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_webhookevent SET last_seen_at = last_seen_at - interval '4 s'")


def work(*, looks: bool = False) -> None:
    """Whatever the rows say is due, now; with `looks` the next look at each print job too."""
    from pimpshop.core import sweeper
    from vending.models import PrintJob

    let_time_pass()
    if looks:
        PrintJob.objects.exclude(due_at=None).update(due_at=timezone.now())
    assert -1 not in sweeper.walk_until_quiet().values()


def paid(third_id: str, manufacturer: Manufacturer, status: int = 3) -> None:
    """Money at the machine, its post to us, and the work that follows."""
    manufacturer.payments[third_id] = status
    hint(third_id, status)
    work()


def rows() -> dict[str, tuple[int, str]]:
    """Every table's number of rows and a hash over them: the same before and after means that nothing changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        parts = [
            f"""SELECT '{name}', COUNT(*), COALESCE(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM "{name}" t"""
            for name in tables
        ]
        cursor.execute(" UNION ALL ".join(parts))
        return {name: (count, digest) for name, count, digest in cursor.fetchall()}

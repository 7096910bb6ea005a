"""order-summary: bad input, prices that were tampered with, and pictures. Nothing is ordered on a refusal."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from catalog.models import Design, Photo
from catalog.services import designs
from orders.models import Order, OrderLine
from payments.models import PaymentIntent
from pimpshop.core import http
from tests import factories
from tests.flows.conftest import Shop
from tests.support import images, seed1
from tests.support.manufacturer import Manufacturer
from tests.support.refusals import NO_TEXT, assert_refused
from tests.support.seed1 import Phone
from vending.models import VendingSession

Remember = Callable[[], None]


@pytest.fixture
def customer(phone: Phone) -> Phone:
    phone.create()
    phone.register()
    return phone


def send(phone: Phone, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return phone.client.post(f"{phone.base}/order-summary", data, content_type=seed1.JSON)


# --- fields -----------------------------------------------------------------------------------------------------------
TEXTS = {
    "designImage": None, "finalImagePublicUrl": 2000, "finalImageUrl": 2000, "brand": 120, "brand_id": 40, "model": 120,
    "chinese_model_id": 40, "mobile_shell_id": 40, "color": 120, "colour": 120, "device_id": 60, "template": 60,
    "template_id": 60, "currency": 8,
}  # fmt: skip


@pytest.mark.parametrize("field", TEXTS)
def test_texts_are_texts_and_of_their_length(customer: Phone, field: str, nothing_changes: Remember) -> None:
    nothing_changes()
    longest = TEXTS[field]
    for value in [*NO_TEXT, *([] if longest is None else ["x" * (longest + 1)])]:
        order = customer.order(**{field: value})
        for body in (order, {"order_data": order, "payment_amount": 19.99}):
            told = assert_refused(send(customer, body), 400, "invalid_request")
            assert field in json.dumps(told["fields"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"chinese_model_id": "", "model": ""}, "invalid_request"),
        ({"chinese_model_id": None}, "invalid_request"),
        ({"chinese_model_id": "MM0"}, "shell_unknown"),
        ({"mobile_shell_id": "MS0"}, "shell_unknown"),
        ({"mobile_shell_id": "ms102503270003"}, "shell_unknown"),
        ({"brand_id": "BR0"}, "shell_unknown"),
        ({"designImage": ""}, "picture_missing"),
        ({"designImage": None}, "picture_missing"),
        ({"device_id": "VM_TEST_MANUFACTURER"}, "machine_mismatch"),
        ({"device_id": "cxylogd8oquk"}, "machine_mismatch"),
        ({"session_id": "CXYLOGD8OQUK_20250830_075329_A2440143"}, "invalid_request"),
        ({"session_id": 1}, "invalid_request"),
        ({"order_data": {}}, "invalid_request"),
        ({"order_data": []}, "invalid_request"),
        ({"order_data": "x"}, "invalid_request"),
        ({"order_data": None}, "invalid_request"),
    ],
    ids=str,
)
def test_what_no_order_is_made_of(customer: Phone, change: Any, code: str, nothing_changes: Remember) -> None:
    nothing_changes()
    assert_refused(send(customer, customer.order(**change)), 400, code)


def test_an_ambiguous_phone_is_not_guessed(shop: Shop, customer: Phone, nothing_changes: Remember) -> None:
    """Mistake 8: stock and shells go by (model id, shell id), never by a name."""
    factories.shell(model=shop.shell.model, manufacturer_id="MS102503270004")
    nothing_changes()
    body = assert_refused(send(customer, customer.order(mobile_shell_id="")), 400, "shell_ambiguous")
    assert "colour" in body["detail"]


def test_a_case_without_a_price_here_is_not_sold(shop: Shop, customer: Phone, nothing_changes) -> None:
    shop.machine.__class__.objects.update(currency="USD")
    nothing_changes()
    assert_refused(send(customer, customer.order(price=None)), 409, "not_sold")


# --- the price --------------------------------------------------------------------------------------------------------
TAMPERED = [
    0, -1, -19.99, 0.01, 1, 19.98, 20.00, 19.989999, 19.991, 1999, 10, "19.98", "1999", "0", "-19.99", "19,99", "£19.99",
    "nineteen", "1e1", "19.99 GBP", "０", 10**15, 10**23,
]  # fmt: skip


@pytest.mark.parametrize("price", TAMPERED)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_another_price_is_refused(customer: Phone, price: Any, nested: bool, nothing_changes) -> None:
    nothing_changes()
    body = customer.order(price=price)
    if nested:
        del body["price"]
        body = {"order_data": body, "payment_amount": price, "currency": "GBP"}
    told = assert_refused(send(customer, body), 409, "price_mismatch", "nothing was charged")
    assert told["fields"] == {"price": "19.99", "currency": "GBP"}


@pytest.mark.parametrize(
    "price", [b"1e1", b"1E-3", b"1e40", b"19.990000000000000000001", b"1999e-2000", b"-0", b"0.0", b"00"]
)
def test_strange_numbers(customer: Phone, price: bytes, nothing_changes: Remember) -> None:
    nothing_changes()
    body = json.dumps(customer.order(price="@")).encode().replace(b'"@"', price)
    answer = send(customer, body)
    assert answer.status_code in (400, 409)
    assert_refused(answer, answer.status_code)


@pytest.mark.parametrize("price", [True, False, [19.99], {"amount": 19.99}, "", "9" * 25, 10**30], ids=repr)
def test_what_is_no_price(customer: Phone, price: Any, nothing_changes: Remember) -> None:
    nothing_changes()
    answer = send(customer, customer.order(price=price))
    assert answer.status_code in (400, 409)
    assert_refused(answer, answer.status_code)


@pytest.mark.parametrize("price", [19.99, None])
@pytest.mark.parametrize("currency", ["USD", "CNY", "JPY", "CREDITS", "XXX", "£"])
def test_another_currency_is_refused(customer: Phone, price: Any, currency: str, nothing_changes) -> None:
    nothing_changes()
    answer = send(customer, customer.order(price=price, currency=currency))
    assert_refused(answer, 409, "price_mismatch")


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ({"price": 19.99}, {"payment_amount": 0}),
        ({"price": 0}, {"payment_amount": 19.99}),
        ({"price": 19.99}, {"payment_amount": "1"}),
        ({"currency": "GBP"}, {"payment_amount": 19.99, "currency": "USD"}),
    ],
    ids=str,
)
def test_two_amounts_in_one_summary(customer: Phone, inner: Any, outer: Any, nothing_changes) -> None:
    nothing_changes()
    order = {key: value for key, value in customer.order().items() if key != "price"}
    assert_refused(send(customer, {"order_data": {**order, **inner}, **outer}), 400, "invalid_request")


def test_the_price_that_counts_is_the_catalogues(shop: Shop, phone: Phone, manufacturer) -> None:
    """However the client wrote it: order, attempt and the manufacturer's number say the catalogue's price."""
    phone.asked_to_pay(price="19.990", currency="gbp")
    assert Order.objects.get().total_minor == OrderLine.objects.get().unit_minor == 1999
    assert PaymentIntent.objects.get().amount_minor == 1999
    assert manufacturer.bodies("order/payData")[0]["pay_amount"] == 19.99


def test_the_price_is_that_of_the_order_when_it_changes_later(shop: Shop, phone: Phone, manufacturer) -> None:
    phone.ordered()
    factories.reprice(2999)
    assert phone.init()[1]["payment_amount"] == 19.99
    second = shop.phone()
    second.create()
    assert_refused(send(second, second.order()), 409, "price_mismatch")


# --- the second summary -----------------------------------------------------------------------------------------------
def test_the_same_content_is_the_same_order_at_any_time(phone: Phone, manufacturer: Manufacturer) -> None:
    phone.ordered()
    order = Order.objects.get()
    for again in (
        phone.order(),
        phone.order(price="19.99"),
        phone.order(finalImagePublicUrl="https://x.y/z"),
    ):
        assert send(phone, again).json()["status"] == "designing"
    _status, told = phone.init()
    answer = send(phone, phone.order())
    assert (answer.status_code, answer.json()["status"]) == (200, "payment_pending")
    seed1.paid(told["third_id"], manufacturer)
    answer = send(phone, phone.order())
    assert (answer.status_code, answer.json()["status"]) == (200, "payment_completed")
    assert Order.objects.get() == order
    assert OrderLine.objects.count() == Design.objects.count() == Photo.objects.count() == 1


def test_other_content_replaces_the_order_before_the_payment(phone: Phone) -> None:
    phone.ordered()
    first = Order.objects.get()
    assert phone.summary(designImage=seed1.picture(700, 1300))[0] == 200
    first.refresh_from_db()
    assert first.status == "cancelled"
    assert Order.objects.filter(status="pending").count() == 1
    assert VendingSession.objects.get().order_no == Order.objects.get(status="pending").order_no


def test_other_content_is_refused_once_the_payment_started(
    phone: Phone, manufacturer, nothing_changes
) -> None:
    """payData cannot be withdrawn."""
    phone.asked_to_pay()
    nothing_changes()
    for change in ({"designImage": seed1.picture(700, 1300)}, {"template": "other"}, {"color": "red"}):
        answer = send(phone, phone.order(**change))
        assert_refused(answer, 409, "order_summary_differs", "has started")


# --- pictures ---------------------------------------------------------------------------------------------------------
BAD_PICTURES = {
    "no data URL": ("hello", 400, "picture_bad_data_url"),
    "an address": ("https://example.com/x.png", 400, "picture_bad_data_url"),
    "a page": ("data:text/html;base64,PGI+", 400, "picture_bad_data_url"),
    "no base64": ("data:image/png;base64,@@@@", 400, "picture_bad_data_url"),
    "not encoded": ("data:image/png,hello", 400, "picture_bad_data_url"),
    "empty": ("data:image/png;base64,", 400, "picture_empty"),
    "no picture": (images.data_url(b"hello, world"), 400, "picture_unsupported_format"),
    "SVG": (images.data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), 400, "picture_unsupported_format"),
    "cut off": (
        images.data_url(images.photo(300, 300, image_format="PNG")[:-900]), 400, "picture_damaged"
    ),
    "tiny": (images.data_url(images.photo(63, 200, image_format="PNG")), 400, "picture_too_small"),
    "a bomb": (images.data_url(images.png_bomb()), 413, "picture_too_many_pixels"),
    "too many bytes": (images.data_url(b"\x89PNG\r\n\x1a\n" + bytes(20 * 1024 * 1024)), 413, "picture_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("why", BAD_PICTURES)
def test_pictures_that_are_refused(customer: Phone, why: str, nothing_changes: Remember) -> None:
    picture, status, code = BAD_PICTURES[why]
    nothing_changes()
    assert_refused(send(customer, customer.order(designImage=picture)), status, code)


def test_a_small_picture_is_taken_and_said_so(customer: Phone) -> None:
    assert customer.summary(designImage=seed1.picture(100, 200))[0] == 200
    design = Design.objects.get()
    assert design.low_resolution is True
    assert design.low_resolution_accepted_at is not None
    assert OrderLine.objects.get().snapshot["low_resolution_accepted"] is True


def test_a_large_picture_needs_no_acceptance(customer: Phone) -> None:
    assert customer.summary(designImage=seed1.picture(1000, 2000))[0] == 200
    assert Design.objects.get().low_resolution is False
    assert OrderLine.objects.get().snapshot["low_resolution_accepted"] is False


# --- pictures by link -------------------------------------------------------------------------------------------------
PNG = images.photo(600, 1200, image_format="PNG")


class Elsewhere(BaseHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        moved = self.path == "/moved.png"
        self.send_response(302 if moved else 404 if self.path == "/gone.png" else 200)
        self.send_header("Location", "/fine.png")
        self.end_headers()
        if self.path == "/slow.png":
            self.server.let_go.wait(10)
        body = {"/page.png": b"<html>", "/large.png": PNG + bytes(20 * 1024 * 1024)}.get(self.path, PNG)
        self.wfile.write(body)


@pytest.fixture
def elsewhere(manufacturer: Manufacturer, settings) -> Iterator[Any]:
    """Somebody else's server, which a setting for development lets the guard reach."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    server.daemon_threads, server.seen, server.let_go = True, [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{server.server_port}"]
    manufacturer.mock.add_passthru(server.url)
    yield server
    server.let_go.set()
    server.shutdown()
    server.server_close()


def by_link(phone: Phone, url: str, **more: Any) -> Any:
    return send(phone, phone.order(designImage="", finalImagePublicUrl=url, **more))


def test_a_picture_elsewhere_is_fetched_once(customer: Phone, elsewhere: Any) -> None:
    for _ in range(2):
        assert by_link(customer, f"{elsewhere.url}/fine.png").status_code == 200
    assert elsewhere.seen == ["/fine.png"]
    assert Photo.objects.get().width == 600


def test_the_picture_in_the_body_wins_over_the_link(customer: Phone, elsewhere: Any) -> None:
    answer = send(customer, customer.order(finalImagePublicUrl=f"{elsewhere.url}/fine.png"))
    assert (answer.status_code, elsewhere.seen) == (200, [])


@pytest.mark.parametrize("page", ["moved", "gone", "page", "large"])
def test_links_that_lead_to_no_picture(customer: Phone, elsewhere: Any, page: str, nothing_changes) -> None:
    nothing_changes()
    assert_refused(by_link(customer, f"{elsewhere.url}/{page}.png"), 400)
    assert elsewhere.seen == [f"/{page}.png"]  # a redirect is not followed


def test_a_link_that_is_too_slow(customer: Phone, elsewhere: Any, nothing_changes, monkeypatch) -> None:
    real = http.guarded_get
    monkeypatch.setattr(http, "guarded_get", lambda url, **more: real(url, **more, timeout=(0.5, 0.3)))
    nothing_changes()
    assert_refused(by_link(customer, f"{elsewhere.url}/slow.png"), 400, "picture_unreachable")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png", "http://localhost/x.png", "http://[::1]/x.png", "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x.png", "http://192.168.1.1/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/",
        "ftp://example.com/x.png", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "//example.com/x.png", "x.png",
        "http://user:pass@example.com/x.png", "http://[", "http://exa mple.com/", "javascript:alert(1)", "http://",
        "data:image/png;base64,iVBORw0KGgo=", "http://127.0.0.1:6379/", "http://[::ffff:127.0.0.1]/", "\\\\127.0.0.1\\x",
    ],
)  # fmt: skip
def test_links_into_our_own_network(customer: Phone, url: str, nothing_changes: Remember) -> None:
    nothing_changes()
    assert_refused(by_link(customer, url), 400, "picture_unreachable", "designImage")


def test_our_own_link_is_resolved_without_a_fetch(shop: Shop, customer: Phone, manufacturer) -> None:
    """Mistake 11: the token is in the path, so whatever a client appends or strips after it does no harm."""
    customer.summary()
    link = designs.print_link(Design.objects.get())
    assert link.startswith("http://127.0.0.1:8000/pictures/")
    assert link.endswith(".png")
    assert "?" not in link
    for url in (link, f"{link}?token=x", f"{link}?token=x&token=y", f"{link}#x"):
        other = shop.phone()
        other.create()
        assert by_link(other, url).status_code == 200
        other.post(f"{other.base}/cancel")
    assert len(manufacturer.mock.calls) == 0


def test_our_own_address_is_never_fetched(customer: Phone, nothing_changes: Remember, settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1:8000"]  # the guard would let it through
    nothing_changes()
    for path in ("/pictures/forged.png", "/admin/", "/", "", "/healthz?x=/pictures/a.png"):
        answer = by_link(customer, f"http://127.0.0.1:8000{path}")
        assert_refused(answer, 400, "picture_unreachable")

"""Signed picture links as the manufacturer's machines use them: often, from anywhere, without a name."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalog.models import Design
from catalog.services import designs
from pimpshop.core import storage
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen() -> Design:
    return make.frozen_design(
        print_bytes=b"\x89PNG print", print_sha256=hashlib.sha256(b"\x89PNG print").hexdigest()
    )


def path_of(design: Design) -> str:
    return urlsplit(designs.print_link(design)).path


def test_the_link_is_absolute_without_query_and_ends_in_png(frozen: Design) -> None:
    parts = urlsplit(designs.print_link(frozen))
    assert (parts.scheme, parts.netloc, parts.query) == ("http", "127.0.0.1:8000", "")
    assert parts.path.startswith("/pictures/")
    assert parts.path.endswith(".png")
    assert str(frozen.pk) not in parts.path


def test_a_get_answers_the_stored_bytes_and_nothing_else(frozen: Design) -> None:
    answer = Client().get(path_of(frozen), headers={"user-agent": ""})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"\x89PNG print"
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Length"] == "10"
    assert answer["ETag"] == f'"{frozen.print_sha256}"'
    assert answer["Cache-Control"] == "private, max-age=2592000, immutable"
    assert not answer.cookies


def test_a_head_answers_the_same_headers_without_a_body(frozen: Design) -> None:
    answer = Client().head(path_of(frozen), headers={"user-agent": ""})
    assert (answer.status_code, answer["Content-Length"], answer["Content-Type"]) == (200, "10", "image/png")
    assert b"".join(answer) == b""


def test_29_fetches_from_two_addresses_all_work(frozen: Design) -> None:
    path = path_of(frozen)
    for number in range(29):
        client = Client(REMOTE_ADDR=f"47.0.0.{number % 2}")
        answer = client.get(path, headers={"user-agent": ""})
        assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"\x89PNG print")


def test_what_is_known_is_not_sent_again(frozen: Design) -> None:
    answer = Client().get(path_of(frozen), headers={"if-none-match": f'"{frozen.print_sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_other_methods_are_refused(frozen: Design) -> None:
    for method in ("post", "put", "delete"):
        assert getattr(Client(), method)(path_of(frozen)).status_code == 405


def test_the_link_outlives_the_longest_retry_and_then_ends(frozen: Design) -> None:
    path, now = path_of(frozen), timezone.now()
    with time_machine.travel(now + timedelta(days=29, hours=23)):
        assert Client().get(path).status_code == 200
    with time_machine.travel(now + timedelta(days=30, minutes=1)):
        assert Client().get(path).status_code == 404


def test_forged_and_mangled_links_find_nothing(frozen: Design) -> None:
    path = path_of(frozen)
    token = path.removeprefix("/pictures/").removesuffix(".png")
    flipped = ("B" if token[0] != "B" else "C") + token[1:]
    last = token[:-2] + ("A" if token[-2] != "A" else "Q") + token[-1]
    foreign = storage.make_token(
        "print", make.design().pk, timedelta(days=1)
    )  # of a design that is not frozen
    for bad in (flipped, last, token[:-1], token + token, "x", "%00", "ü", foreign):
        answer = Client().get(f"/pictures/{bad}.png")
        assert answer.status_code == 404, bad
        assert not answer.cookies
    assert Client().get(path.removesuffix(".png")).status_code == 404


def test_a_preview_link_shows_the_preview_only(frozen: Design) -> None:
    name = default_storage.save("designs/other.png", open(__file__, "rb"))  # noqa: SIM115 - any other bytes
    Design.objects.filter(pk=frozen.pk).update(preview=name)
    answer = Client().get(designs.preview_link(frozen))
    assert b"".join(answer.streaming_content) != b"\x89PNG print"
    assert answer["ETag"] == f'"{"b" * 64}"'
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert Client().get(designs.preview_link(frozen)).status_code == 200
    path = designs.preview_link(frozen)
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert Client().get(path).status_code == 404


def test_a_lost_file_is_a_404_and_no_crash(frozen: Design) -> None:
    default_storage.delete(frozen.print_file.name)
    assert Client().get(path_of(frozen)).status_code == 404


def test_our_own_links_are_read_without_a_fetch(frozen: Design) -> None:
    path = path_of(frozen)
    assert designs.read_linked_picture(path) == b"\x89PNG print"
    for bad in (path + "x", "/pictures/x.png", "/pictures/../x.png", "", path + "\n"):
        assert designs.read_linked_picture(bad) is None


def test_a_page_gets_a_small_picture_and_never_the_print_file() -> None:
    big = io.BytesIO()
    Image.new("RGBA", (800, 1600), (200, 30, 90, 255)).save(big, "PNG")
    design = make.frozen_design(print_bytes=big.getvalue(), preview_sha256="ab" * 32)
    path = urlsplit(designs.preview_link(design)).path.removesuffix(".png") + ".webp"
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert (answer["ETag"], answer["Content-Length"]) == (f'"{"ab" * 32}-420"', str(len(answer.content)))
    assert answer["Cache-Control"] == "private, max-age=2592000, immutable"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (420, 840))
    again = Client().get(path, headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    of_print = path_of(design).removesuffix(".png") + ".webp"
    for bad in (of_print, path.replace(".webp", "x.webp"), "/pictures/x.webp"):
        refused = Client().get(bad)
        assert (refused.status_code, refused.content) == (404, b"Not found.")

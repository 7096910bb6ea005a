"""Request ids, ?lang=, compression."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from pimpshop.core import middleware


@pytest.mark.parametrize("given", ["abcd1234", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "A.b_c-9" * 9])
def test_a_harmless_request_id_is_kept(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    ["", "short", "a" * 65, "abcd1234 x", "abcd1234\tx", "<script>alert</script>", "标识标识标识标识"],
)
def test_any_other_is_replaced(client: Client, given: str) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_each_request_has_its_own(client: Client) -> None:
    assert client.get("/healthz")["X-Request-ID"] != client.get("/healthz")["X-Request-ID"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("zh", "zh-hans"), ("ZH", "zh-hans"), ("zh-CN", "zh-hans"), ("zh_Hans", "zh-hans"), ("zh-hans", "zh-hans"),
        ("cn", "zh-hans"), ("en", "en"), ("en-GB", "en"), ("de", ""), ("", ""), ("zh;q=1", ""), ("../en", ""),
        ("e" * 5000, ""), ("en\x00", ""), ("en\n", ""),
    ],
)  # fmt: skip
def test_which_languages_an_address_may_name(text: str, language: str) -> None:
    assert middleware.supported_language(text) == language


def test_lang_in_the_address_is_used_and_remembered(client: Client) -> None:
    answer = client.get("/none?lang=zh")
    assert answer["Content-Language"] == "zh-hans"
    cookie = answer.cookies["django_language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        "zh-hans", True, "Lax", 365 * 24 * 3600,
    )  # fmt: skip
    assert client.get("/none")["Content-Language"] == "zh-hans"
    assert client.get("/none?lang=en")["Content-Language"] == "en"
    assert client.get("/none")["Content-Language"] == "en"


def test_an_unknown_lang_changes_nothing(client: Client) -> None:
    answer = client.get("/none?lang=xx")
    assert answer["Content-Language"] == "en"
    assert "django_language" not in answer.cookies


def test_every_answer_has_the_security_headers(client: Client) -> None:
    answer = client.get("/none")
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == (
        "'none'",
        "'self'",
        "'self'",
    )
    assert (policy["frame-ancestors"], policy["base-uri"], policy["object-src"]) == (
        "'none'",
        "'none'",
        "'none'",
    )
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("wanted", "chinese"), [(None, True), ("", True), ("*", True), (" * ", True), ("zh-CN,zh", True), ("en", False), ("en-GB,*", False)]
)  # fmt: skip
def test_who_wants_any_language_gets_the_seeds_own(db: None, wanted: str | None, chinese: bool) -> None:
    """Node's fetch asks for any (`*`) unless it is told otherwise."""
    headers = {} if wanted is None else {"Accept-Language": wanted}
    answer = Client().get("/api/products/0", headers=headers)
    assert (answer.json()["detail"] == "商品不存在或已下架") is chinese


# --- Compression ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pages_are_compressed_and_of_no_fixed_length(client: Client) -> None:
    """The extra bytes differ from answer to answer: lengths tell nothing about what is on the page."""
    plain = client.get("/accounts/login/")
    assert "Content-Encoding" not in plain
    answers = [client.get("/accounts/login/", headers={"Accept-Encoding": "gzip"}) for _ in range(6)]
    for answer in answers:
        assert answer["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer["Vary"]
        assert len(answer.content) < len(plain.content) / 2
        assert b"</html>" in gzip.decompress(answer.content)
    assert len({len(answer.content) for answer in answers}) > 1


@pytest.mark.parametrize("path", ["/api/schema/", "/healthz"])
def test_what_is_no_page_is_left_as_it_is(client: Client, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"})

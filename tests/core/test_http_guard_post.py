"""The guard's post: an address of a client is posted to once, over https, at the address that was checked, or not at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from pimpshop.core import http
from tests.support import receivers
from tests.support.receivers import Receiver

HOST = "merchant.example"
PUBLIC = "93.184.215.14"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.receiving() as made:
        yield made


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Name -> the answers of the name service, one after the other; the last one stays."""
    table: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in table:
            return real(host, port, *args, **kwargs)
        answers = table[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


def post(url: str, **options: Any) -> http.Answer:
    return http.guarded_post(
        url,
        **{"body": b"{}", "headers": {"X-Mine": "1", "Host": "evil.example"}, "max_bytes": 100, **options},
    )


def test_a_post_goes_to_the_checked_address_under_its_own_name(
    receiver: Receiver, names: dict[str, Any]
) -> None:
    """The name means another address by the second question: there is none."""
    names[HOST] = [["127.0.0.1"], [PUBLIC]]
    answer = post(f"http://{HOST}:{receiver.port}/a?b=1", allowed_hosts=[f"{HOST}:{receiver.port}"])
    assert (answer.status, answer.body) == (200, b"ok")
    [got] = receiver.posts
    assert (got.path, got.headers["host"], got.headers["x-mine"], got.body) == (
        "/a?b=1", f"{HOST}:{receiver.port}", "1", b"{}",
    )  # fmt: skip
    assert names[HOST] == [[PUBLIC]]


def test_a_name_that_turns_to_loopback_is_refused_when_it_is_used(
    receiver: Receiver, names: dict[str, Any]
) -> None:
    names[HOST] = [[PUBLIC], ["127.0.0.1"]]
    http.check_address(f"https://{HOST}/hooks")
    with pytest.raises(http.HttpRefused) as caught:
        post(f"https://{HOST}/hooks")
    assert caught.value.maybe_sent is False
    assert receiver.posts == []


REFUSED = [
    "http://merchant.example/", "http://127.0.0.1/", "https://127.0.0.1/", "https://10.1.2.3/", "https://172.16.0.1/",
    "https://192.168.0.1/", "https://169.254.169.254/latest/", "https://100.64.0.1/", "https://0.0.0.0/", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:a00:1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[2002:7f00:1::]/",
    "https://[64:ff9b::7f00:1]/", "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.1/", "https://localhost/",
    "https://user@merchant.example/", "https://user:pw@merchant.example/", "https://merchant.example:8443/",
    "https://merchant.example:80/", "https://merchant.example:22/", "ftp://merchant.example/", "//merchant.example/",
    "https://merchant.example\\@127.0.0.1/", "https://merchant.example/\r\nX: y", "https://nowhere.invalid/", "", None,
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_public_https_is_refused_without_a_call(names: dict[str, Any], url: Any) -> None:
    names["merchant.example"] = [[PUBLIC]]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for use in (post, http.check_address):
            with pytest.raises(http.HttpRefused) as caught:
                use(url)
            assert caught.value.maybe_sent is False
        assert len(wire.calls) == 0


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["::1"], ["fe80::1%eth0"], []])
def test_one_private_address_condemns_the_name(names: dict[str, Any], addresses: list[str]) -> None:
    names[HOST] = [addresses]
    with pytest.raises(http.HttpRefused):
        post(f"https://{HOST}/")


@pytest.mark.parametrize("status", [200, 204, 400, 410, 500, 503])
def test_any_status_comes_back(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.body = status, b""
    assert post(receiver.url, allowed_hosts=[receiver.place]).status == status
    assert len(receiver.posts) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"http://{receiver.place}/elsewhere"}
    with pytest.raises(http.HttpRedirected) as caught:
        post(receiver.url, allowed_hosts=[receiver.place])
    assert caught.value.status == status
    assert [got.path for got in receiver.posts] == ["/hooks"]


@pytest.mark.parametrize("announced", [True, False])
def test_a_long_answer_is_not_read_but_its_status_is_known(receiver: Receiver, announced: bool) -> None:
    receiver.body = b"x" * 5000
    receiver.headers = {"Content-Length": "5000"} if announced else {}
    with pytest.raises(http.HttpTooLarge) as caught:
        post(receiver.url, allowed_hosts=[receiver.place])
    assert (caught.value.status, caught.value.answer and caught.value.answer.body) == (200, b"")


def test_a_slow_answer_ends_at_the_deadline(receiver: Receiver) -> None:
    receiver.delay = 2
    with pytest.raises(http.HttpTimeout):
        post(receiver.url, allowed_hosts=[receiver.place], deadline=0.2)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_posted_or_asked_inside_a_transaction(receiver: Receiver) -> None:
    from django.db import transaction

    with transaction.atomic():
        for use in (post, http.check_address):
            with pytest.raises(http.OpenTransaction):
                use(receiver.url, allowed_hosts=[receiver.place])
    assert receiver.posts == []

"""Where people may be sent: our own host, the allow-list, nothing that a browser reads in another way."""

from __future__ import annotations

import pytest

from pimpshop.core import redirects


@pytest.fixture(autouse=True)
def _hosts(settings) -> None:
    settings.PUBLIC_BASE_URL = "https://shop.example.com"
    settings.REDIRECT_ALLOWED_HOSTS = ["yoursite.com", "dev.example.org:8443"]


@pytest.mark.parametrize("url", [
    "https://shop.example.com/done?x=1#y", "https://yoursite.com/checkout/complete",
    "https://dev.example.org:8443/", "https://YOURSITE.com/",
])  # fmt: skip
def test_ours_and_the_list(url: str) -> None:
    assert redirects.is_allowed(url)


@pytest.mark.parametrize("url", [
    "/done", "//yoursite.com/", "http://yoursite.com/", "http://shop.example.com/", "https://evil.example/",
    "https://yoursite.com.evil.example/", "https://evil.example/yoursite.com", "https://yoursite.com@evil.example/",
    "https://me:pw@yoursite.com/", "https://yoursite.com:8443/", "https://dev.example.org/", "javascript:alert(1)",
    "data:text/html,x", "https://yoursite.com\\@evil.example/", "https://yoursite.com/ x", "https://yoursite.com/\n",
    "https://yoursite.com/" + "x" * 500, "https://yoursite.com:99999/", "https://[::1",
    "ftp://yoursite.com/",
])  # fmt: skip
def test_everything_else_is_refused(url: str) -> None:
    assert not redirects.is_allowed(url)


def test_a_shop_without_tls_may_lead_to_itself(settings) -> None:
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    assert redirects.is_allowed("http://127.0.0.1:8000/done")
    assert not redirects.is_allowed("http://127.0.0.1:8001/done")

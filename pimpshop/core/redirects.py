"""Where a client may send shoppers afterwards: our own host, or one of REDIRECT_ALLOWED_HOSTS. Pure.

Guarantee: an address that we hand to a provider or redirect to was looked at here, so nobody is led astray by our name.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors

#: A longer one does not fit its column.
LONGEST = 500


class AddressNotAllowed(errors.ShopError):
    code = "redirect_not_allowed"
    message = _("This return address is not allowed. Nothing was charged. Ask the shop to allow its host.")


def is_allowed(url: str) -> bool:
    """May shoppers be sent to `url`? An absolute http(s) address without a log-in in it, at an allowed host; plain
    http only where the shop itself is served so."""
    if len(url) > LONGEST or any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in url):
        return False
    try:
        parts = urlsplit(url)
        ours = urlsplit(settings.PUBLIC_BASE_URL)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if parts.scheme not in ("https", ours.scheme) or not host or "@" in parts.netloc:
        return False
    if (host, port) == ((ours.hostname or "").lower(), ours.port):
        return True
    allowed = {entry.strip().lower() for entry in settings.REDIRECT_ALLOWED_HOSTS}
    return (f"{host}:{port}" if port else host) in allowed


def must_be_allowed(url: str) -> str:
    """`url` itself; "" stays "". Raises AddressNotAllowed (400)."""
    if url and not is_allowed(url):
        raise AddressNotAllowed
    return url


def is_our_path(url: str) -> bool:
    """Is `url` the path of a page of ours (`?next=`)? Whole addresses are refused, our own too."""
    return (
        len(url) <= LONGEST
        and url.startswith("/")
        and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    )

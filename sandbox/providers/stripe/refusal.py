"""Stripe's error: an HTTP status and an `error` object."""

from typing import Any

from sandbox.providers.stripe import codes


class Refusal(Exception):
    """A call was refused."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        told = {"type": kind, "message": message, "code": code, "param": param} | more
        self.error = {name: value for name, value in told.items() if value != ""}


def missing(kind: str, ident: str, param: str = "id", *, status: int = 404) -> Refusal:
    """There is no such object."""
    name = kind.replace("checkout.session", "checkout.session")
    return Refusal(f"No such {name}: '{ident}'", status=status, code="resource_missing", param=param)


def card_error(code: str, reason: str = "", **more: Any) -> Refusal:
    """The card was refused."""
    text = codes.MESSAGES.get(reason) or codes.MESSAGES.get(code) or codes.MESSAGES["card_declined"]
    return Refusal(text, status=402, kind="card_error", code=code, decline_code=reason, **more)

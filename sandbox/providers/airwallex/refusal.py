"""Airwallex's error: an HTTP status and {code, source, message, trace_id, details}."""


class Refusal(Exception):
    """A call was refused; nothing was written."""

    def __init__(self, code: str, message: str, status: int = 400, *, source: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.source = code, message, status, source
        self.issuer = ""


class Declined(Refusal):
    """The card was refused: the intent is back where it was and remembers why. What was written stays."""

    def __init__(self, code: str, issuer: str) -> None:
        super().__init__(code, "the card was refused (a simulation)")
        self.issuer = issuer

"""The manufacturer's business error: HTTP 200 with a code and an English `msg` in the envelope."""


class Refusal(Exception):
    """A call was refused."""

    def __init__(self, message: str, code: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def bad(field: str) -> Refusal:
    """A parameter is missing or makes no sense."""
    return Refusal(f"Parameter error: {field}", 400)

"""WeChat Pay's refusal: an HTTP status with {code, message}; never signed."""


class Refusal(Exception):
    """A call was refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad(message: str) -> Refusal:
    """A parameter is missing or makes no sense."""
    return Refusal(400, "PARAM_ERROR", message)

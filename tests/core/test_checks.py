"""What must not reach production is refused: by `check`, by `check --deploy`, and by the processes themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from pimpshop.core import checks
from tests.support import processes

GOOD_SECRET = "kQ3-x8Zw" * 8
REAL: dict[str, Any] = {
    "MANUFACTURER_API_BASE": "https://api.example.com/mobileShell/en",
    "MANUFACTURER_ACCOUNT": "shop",
    "MANUFACTURER_PASSWORD": "a real password",
    "MANUFACTURER_SIGN_KEY": "a real key",
    "MANUFACTURER_ORDER_ID_KIND": "oren",
    "MANUFACTURER_WEBHOOK_ALLOWED_IPS": ["203.0.113.0/24"],
    "MANUFACTURER_WEBHOOK_SECRET_PATH": "",
    "TRUSTED_PROXIES": ["10.0.0.1", "10.1.0.0/16", "::1"],
    "OUTBOUND_ALLOWED_HOSTS": [],
    "SANDBOX": False,
    "DEBUG": False,
    "TESTING": False,
    "SECRET_KEY": GOOD_SECRET,
}
OFF = dict.fromkeys(checks._MANUFACTURER, "")


@pytest.fixture
def given(settings: Any) -> Any:
    """Set the settings of a good production server, with changes."""

    def set_(**changes: Any) -> None:
        for name, value in {**REAL, **changes}.items():
            setattr(settings, name, value)

    return set_


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        (OFF, []),
        ({"MANUFACTURER_PASSWORD": ""}, ["shop.E001"]),
        ({**OFF, "MANUFACTURER_ACCOUNT": "shop"}, ["shop.E001"]),
        ({"MANUFACTURER_PASSWORD": "sandbox-password"}, ["shop.E002"]),
        (
            {"MANUFACTURER_SIGN_KEY": "TESTFIXEDKEY", "MANUFACTURER_PASSWORD": "sandbox-password"},
            ["shop.E002"] * 2,
        ),
        (
            {
                "MANUFACTURER_API_BASE": "http://127.0.0.1:8001/manufacturer/mobileShell/en",
                "MANUFACTURER_SIGN_KEY": "TESTFIXEDKEY",
                "MANUFACTURER_PASSWORD": "sandbox-password",
            },
            [],
        ),
        ({"MANUFACTURER_ORDER_ID_KIND": "both"}, ["shop.E003"]),
        ({"TRUSTED_PROXIES": ["10.0.0.0/99"]}, ["shop.E004"]),
        ({"MANUFACTURER_WEBHOOK_ALLOWED_IPS": ["the manufacturer"]}, ["shop.E004"]),
    ],
)
def test_check(given: Any, changes: dict[str, Any], expected: list[str]) -> None:
    given(**changes)
    assert ids(checks.check_manufacturer(None)) == expected


def test_the_hint_names_what_is_missing_and_no_value(given: Any) -> None:
    given(MANUFACTURER_PASSWORD="", MANUFACTURER_SIGN_KEY="")
    (error,) = checks.check_manufacturer(None)
    assert error.msg == (
        "The manufacturer is half configured: MANUFACTURER_PASSWORD, MANUFACTURER_SIGN_KEY missing."
    )
    assert error.hint


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"SANDBOX": True}, ["shop.E010"]),
        ({"OUTBOUND_ALLOWED_HOSTS": ["127.0.0.1:9000"]}, ["shop.E011"]),
        ({"DEBUG": True}, ["shop.E012"]),
        ({"SECRET_KEY": "short"}, ["shop.E013"]),
        ({"SECRET_KEY": ""}, ["shop.E013"]),
        ({"SECRET_KEY": "a" * 80}, ["shop.E013"]),
        ({"SECRET_KEY": "insecure-" + GOOD_SECRET}, ["shop.E013"]),
        ({"SECRET_KEY": "django-insecure-" + GOOD_SECRET}, ["shop.E013"]),
        ({"MANUFACTURER_WEBHOOK_ALLOWED_IPS": []}, ["shop.W014"]),
        ({"MANUFACTURER_WEBHOOK_ALLOWED_IPS": [], "MANUFACTURER_WEBHOOK_SECRET_PATH": "s3cr3t"}, []),
    ],
)
def test_check_deploy(given: Any, changes: dict[str, Any], expected: list[str]) -> None:
    given(**changes)
    assert ids(checks.check_deploy(None)) == expected


# --- Refusing to start ------------------------------------------------------------------------------------------------
def test_a_good_server_starts(given: Any) -> None:
    given()
    checks.refuse_unsafe_start()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is empty, short or a default"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is empty, short or a default"),
        ({"MANUFACTURER_SIGN_KEY": "TESTFIXEDKEY"}, "MANUFACTURER_SIGN_KEY is the sandbox's"),
        ({"MANUFACTURER_PASSWORD": ""}, "half configured: MANUFACTURER_PASSWORD"),
        ({"TRUSTED_PROXIES": ["x"]}, "TRUSTED_PROXIES: x"),
    ],
)
def test_an_unsafe_server_refuses_to_start_in_words(given: Any, changes: dict[str, Any], word: str) -> None:
    given(**changes)
    with pytest.raises(ImproperlyConfigured) as refused:
        checks.refuse_unsafe_start()
    text = str(refused.value)
    assert text.startswith("pimpshop refuses to start:\n- ")
    assert word in text
    assert "TESTFIXEDKEY" not in text
    assert GOOD_SECRET not in text


@pytest.mark.parametrize("lenient", ["DEBUG", "TESTING"])
def test_development_and_tests_are_let_off(given: Any, lenient: str) -> None:
    given(SECRET_KEY="short", **{lenient: True})
    checks.refuse_unsafe_start()


@pytest.mark.fault
@pytest.mark.parametrize(
    "words",
    [
        ("-c", "import pimpshop.wsgi"),
        ("-c", "import pimpshop.asgi"),
        ("-m", "celery", "-A", "pimpshop.celery", "worker", "-P", "solo"),
        ("-m", "celery", "-A", "pimpshop.celery", "beat", "--schedule", "/tmp/refused-beat", "--pidfile="),
        ("manage.py", "sweep"),
    ],
    ids=["wsgi", "asgi", "worker", "beat", "sweep"],
)
def test_each_process_refuses_by_itself(words: tuple[str, ...]) -> None:
    done = processes.python(*words, SECRET_KEY="short", SANDBOX="0", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode != 0
    assert "SECRET_KEY is empty, short or a default" in done.stderr


@pytest.mark.fault
def test_an_empty_secret_never_gets_as_far_as_that() -> None:
    done = processes.python("-c", "import pimpshop.settings", SECRET_KEY="", DEBUG="0")
    own_key = processes.PROJECT / ".data" / "secret_key"
    assert (done.returncode == 0) is own_key.exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"AIRWALLEX_API_KEY": "", "AIRWALLEX_CLIENT_ID": "", "AIRWALLEX_WEBHOOK_SECRETS": []}, []),
        ({"AIRWALLEX_WEBHOOK_SECRETS": []}, ["airwallex.E001"]),
        ({"AIRWALLEX_CLIENT_ID": ""}, ["airwallex.E001"]),
        ({"AIRWALLEX_API_KEY": "sandbox-airwallex-api-key"}, ["airwallex.E002"]),
        ({"AIRWALLEX_WEBHOOK_SECRETS": ["real", "sandbox-airwallex-webhook-secret"]}, ["airwallex.E002"]),
        (
            {
                "AIRWALLEX_API_KEY": "sandbox-airwallex-api-key",
                "AIRWALLEX_API_BASE": "http://127.0.0.1:8001/airwallex",
            },
            [],
        ),
    ],
)
def test_airwallex_is_whole_or_off(settings: Any, changes: dict[str, Any], expected: list[str]) -> None:
    real = {
        "AIRWALLEX_CLIENT_ID": "client",
        "AIRWALLEX_API_KEY": "key",
        "AIRWALLEX_WEBHOOK_SECRETS": ["real"],
        "AIRWALLEX_API_BASE": "https://api.airwallex.com",
    }
    for name, value in {**real, **changes}.items():
        setattr(settings, name, value)
    assert ids(checks.check_airwallex(None)) == expected

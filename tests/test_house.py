"""The house rules of docs/architecture.md as tests: sizes, words that are not written, pages that open.

A stop that is hit asks for a split by verb or by aggregate, never for a higher number here.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests import factories

ROOT = Path(__file__).resolve().parents[1]
APPS = ["pimpshop", "accounts", "catalog", "credits", "vending", "orders", "payments"]
OURS = [*APPS, "sandbox"]
Function = ast.FunctionDef | ast.AsyncFunctionDef


# --- What there is ----------------------------------------------------------------------------------------------------
def files(*tops: str, suffix: str = ".py") -> list[Path]:
    """Source files below the given folders, without migrations, libraries and what git does not keep."""
    found = [path for top in tops for path in sorted((ROOT / top).rglob(f"*{suffix}"))]
    return [
        path
        for path in found
        if not {"migrations", "vendor", "__pycache__", "node_modules"} & set(path.parts)
    ]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def length(node: ast.AST) -> int:
    """Lines from the first to the last, decorators and docstring included."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
    return int(node.end_lineno - first + 1)  # type: ignore[attr-defined]


def nodes(paths: list[Path], kind: Any) -> Iterator[tuple[Path, Any]]:
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, kind):
                yield path, node


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def too_long(paths: list[Path], stop: int) -> list[str]:
    return [f"{name(path)}: {lines(path)} lines" for path in paths if lines(path) > stop]


DOORS = [
    path for path in files(*APPS)
    if {"views", "api", "webhooks"} & {*path.relative_to(ROOT).parts, path.stem}
]  # fmt: skip
CODE = files(*OURS)


def test_this_file_sees_the_house() -> None:
    """Guards every list above: a rule over nothing holds always."""
    assert len(CODE) > 80
    assert len(DOORS) >= 5
    assert len(files("templates", suffix=".html")) > 10


# --- Sizes ------------------------------------------------------------------------------------------------------------
def test_no_module_is_longer_than_350_lines() -> None:
    assert too_long(CODE, 350) == []


def test_no_function_is_longer_than_50_lines() -> None:
    found = [
        f"{name(p)}:{f.lineno} {f.name}: {length(f)}" for p, f in nodes(CODE, Function) if length(f) > 50
    ]
    assert not found, "\n".join(found)


def test_no_view_is_longer_than_40_lines() -> None:
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = [f"{name(p)}:{v.lineno} {v.name}: {length(v)}" for p, v in nodes(DOORS, kinds) if length(v) > 40]
    assert not found, "\n".join(found)


def test_no_test_file_is_longer_than_400_lines() -> None:
    assert too_long(files("tests"), 400) == []


def test_no_template_is_longer_than_150_lines() -> None:
    assert too_long(files("templates", *OURS, suffix=".html"), 150) == []


def test_no_page_script_is_longer_than_250_lines() -> None:
    assert too_long(files("static/js", suffix=".js"), 250) == []


# --- Modules ----------------------------------------------------------------------------------------------------------
def test_every_module_says_what_it_is() -> None:
    silent = [
        name(path)
        for path in [*CODE, *files("tests")]
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def test_nothing_is_called_utils() -> None:
    bad = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [name(path) for path in [*CODE, *files("tests")] if bad & {path.stem, *path.parts}] == []


def test_every_gateway_has_its_contract_test() -> None:
    gateways = [
        path.stem
        for path in (ROOT / "payments" / "gateways").iterdir()
        if path.stem not in {"base", "crypto", "__init__", "__pycache__"}
    ]
    assert gateways != []
    tests = {path.stem: path.read_text() for path in files("tests/payments/gateways")}
    assert [
        gateway for gateway in gateways if "(GatewayContract)" not in tests.get(f"test_{gateway}", "")
    ] == []


# --- Words that are not written ---------------------------------------------------------------------------------------
def calls(paths: list[Path], attribute: str) -> list[str]:
    found = [
        (p, c)
        for p, c in nodes(paths, ast.Call)
        if isinstance(c.func, ast.Attribute) and c.func.attr == attribute
    ]
    return [f"{name(path)}:{call.lineno}" for path, call in found]


def test_nothing_is_enqueued_past_the_bell() -> None:
    """`.delay()` before the commit is the oldest bug of all; `bell.ring` waits for it and survives a dead broker."""
    assert calls(CODE, "delay") == []
    assert [
        where for where in calls(CODE, "apply_async") if not where.startswith("pimpshop/core/bell.py")
    ] == []


def test_no_time_is_naive() -> None:
    naive = [*calls(CODE, "utcnow"), *calls(CODE, "utcfromtimestamp"), *calls(CODE, "today")]
    for path, call in nodes(CODE, ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"now", "fromtimestamp"}:
            owner = ast.unparse(call.func.value)
            if owner in {"datetime", "datetime.datetime", "dt.datetime"} and len(call.args) + len(
                call.keywords
            ) < (1 if call.func.attr == "now" else 2):
                naive.append(f"{name(path)}:{call.lineno}")
    assert naive == []


#: Millimetres and pixels are no money: drawing may use floats. Nor are counts and seconds, which Prometheus wants as such.
NOT_MONEY = re.compile(
    r"catalog/services/(rendering|geometry|shapes|fonts|layouts|pictures|drawing|template_specs|strict_json|studio)\.py"
    r"|pimpshop/core/(figures|metrics|traffic)\.py|(payments|vending)/services/figures\.py"
)


def test_money_is_never_a_float_nor_times_a_hundred() -> None:
    paths = [path for path in files(*APPS) if not NOT_MONEY.fullmatch(name(path))]
    floats = [
        f"{name(p)}:{c.lineno}" for p, c in nodes(paths, ast.Call) if isinstance(c.func, ast.Name) and c.func.id == "float"
        and not (c.args and isinstance(c.args[0], ast.Constant) and c.args[0].value in {"inf", "-inf"})
    ]  # fmt: skip
    hundreds = [
        f"{name(p)}:{o.lineno}" for p, o in nodes(paths, ast.BinOp)
        if isinstance(o.op, (ast.Mult, ast.Div)) and any(isinstance(s, ast.Constant) and s.value in (100, 1000) and s.value is not True for s in (o.left, o.right))
        and re.search("amount|price|minor|money|total|pay|pence|fen", ast.unparse(o), re.IGNORECASE)
    ]  # fmt: skip
    assert (floats, hundreds) == ([], [])


def test_doors_do_not_compare_states_as_strings() -> None:
    """A door asks a service or a selector; the words of the tables stay where the tables are."""
    found = []
    for path, comparison in nodes(DOORS, ast.Compare):
        sides = [comparison.left, *comparison.comparators]
        named = any(
            "status" in ast.unparse(s).rsplit(".", 1)[-1] or "user_progress" in ast.unparse(s)
            for s in sides
            if isinstance(s, ast.Attribute)
        )
        if named and any(
            isinstance(c, ast.Constant) and isinstance(c.value, str) for s in sides for c in ast.walk(s)
        ):
            found.append(f"{name(path)}:{comparison.lineno} {ast.unparse(comparison)}")
    assert not found, "\n".join(found)


def test_states_are_moved_by_advance_alone() -> None:
    columns = {"status", "user_progress"}
    updates = [
        f"{name(p)}:{c.lineno}" for p, c in nodes(files(*APPS), ast.Call)
        if isinstance(c.func, ast.Attribute) and c.func.attr in {"update", "update_or_create", "bulk_update"}
        and columns & {k.arg for k in c.keywords}
    ]  # fmt: skip
    written = [
        f"{name(p)}:{a.lineno}" for p, a in nodes(files(*APPS), ast.Assign)
        for target in a.targets if isinstance(target, ast.Attribute) and target.attr in columns and ast.unparse(target.value) != "self"
    ]  # fmt: skip
    assert (updates, written) == ([], [])


# --- Templates --------------------------------------------------------------------------------------------------------
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", files("templates", *OURS, suffix=".html"), ids=name)
def test_a_template_has_no_inline_script_or_style(page: Path) -> None:
    """The Content-Security-Policy would refuse them."""
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", page.read_text(), flags=re.DOTALL)
    assert INLINE.findall(text) == []


# --- Settings ---------------------------------------------------------------------------------------------------------
def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    names = ("environment.py", "settings.py", "settings_people.py", "settings_providers.py")
    source = "\n".join((ROOT / "pimpshop" / name).read_text() for name in names)
    read = set(re.findall(r"(?:env(?:\.\w+)?|_provider|_with_keys|_pem)\(\s*\"([A-Z][A-Z0-9_]+)\"", source))
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert len(read) > 30
    assert (read - documented, documented - read) == (set(), set())


# --- Rows, pages and what is generated --------------------------------------------------------------------------------
@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_page_of_states_is_current() -> None:
    call_command("render_states", "--check")


def test_every_app_is_on_the_map() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert [
        config.label
        for config in apps.get_app_configs()
        if name_of_ours(config.name) and f"`{config.name}`" not in page
    ] == []


def name_of_ours(module: str) -> bool:
    return module.split(".")[0] in APPS


MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(factories.staff())
    return client


def _row(model: Any) -> Any:
    """A row of that model where a factory makes one, else None."""
    makers = {
        "User": factories.user, "PhoneBrand": factories.brand, "PhoneModel": factories.model, "Colour": factories.colour,
        "Shell": factories.shell, "DesignTemplate": factories.template, "CaseProduct": factories.product,
        "Design": factories.design, "Machine": factories.machine, "VendingSession": factories.session,
        "PrintJob": factories.print_job, "Order": factories.order, "PaymentIntent": factories.intent,
        "Refund": factories.refund, "WebhookEvent": factories.webhook_event,
        "WebhookEndpoint": factories.webhook_endpoint, "WebhookDelivery": factories.webhook_delivery, "OutboundEvent": factories.outbound_event,
        "Price": factories.price, "Photo": factories.photo,
        "CreditAccount": factories.credit_account, "Posting": factories.posting, "PlanTerm": factories.plan_term,
        "UserToken": factories.user_token, "ApiKey": factories.api_key,
        "WeChatIdentity": factories.wechat_identity,
    }  # fmt: skip
    maker = makers.get(model.__name__)
    return maker() if maker else model._default_manager.first()


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_admin_page_opens(desk: Client, model: Any) -> None:
    row = _row(model)
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    answer = desk.get(reverse(f"{base}_changelist"))
    assert answer.status_code == 200
    assert desk.get(reverse(f"{base}_changelist"), {"q": "P2025"}).status_code in {200, 302}
    site = admin.site._registry[model]
    add = desk.get(reverse(f"{base}_add"))
    assert add.status_code == (200 if site.has_add_permission(answer.wsgi_request) else 403)
    if row is not None:
        assert desk.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
        assert desk.get(reverse(f"{base}_history", args=[row.pk])).status_code == 200


def test_the_desk_has_its_pages() -> None:
    assert {
        "vending.Machine",
        "vending.VendingSession",
        "vending.PrintJob",
        "payments.PaymentIntent",
        "orders.Order",
    } <= {model._meta.label for model in MODELS}


def test_git_keeps_no_secret_and_no_generated_file() -> None:
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if kept.returncode:
        pytest.skip("not a git work tree")
    bad = re.compile(
        r"(^|/)(\.env|\.data|\.venv|__pycache__|node_modules|staticfiles|secret_key)(/|$)|\.(pem|key|sqlite3)$"
    )
    assert [path for path in kept.stdout.splitlines() if bad.search(path)] == []

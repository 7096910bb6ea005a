"""The look: /design/ shows what there is, its palette is the sheet's, contrasts hold; the manifest; the pages of errors; help."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import translation
from PIL import Image

from catalog.views import pages
from pimpshop.core import errors, look, views
from tests import factories as make

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "palette"), [("pimpshop", look.LIGHT), ("pimpshop-dark", look.DARK)])
def test_the_palette_is_the_sheets(name: str, palette: dict[str, str]) -> None:
    sheet = (ROOT / "styles" / "shop.css").read_text("utf-8")
    theme = re.search(rf'name: "{name}";(.*?)\n}}', sheet, re.DOTALL)
    assert theme
    written = dict(re.findall(r"--color-([\w-]+): (#[0-9a-f]{6});", theme[1]))
    assert {colour: written[colour] for colour in palette} == palette


@pytest.mark.parametrize("palette", [look.LIGHT, look.DARK])
@pytest.mark.parametrize(("front", "back", "least"), look.PAIRS)
def test_contrasts(palette: dict[str, str], front: str, back: str, least: float) -> None:
    assert look.contrast(palette[front], palette[back]) >= least


def test_contrast_is_wcags() -> None:
    assert (look.contrast("#000000", "#ffffff"), look.contrast("#ffffff", "#ffffff")) == (21.0, 1.0)
    assert round(look.contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.django_db
def test_the_page_shows_every_drawing_and_is_in_no_search_engine() -> None:
    answer = Client().get("/design/")
    page = answer.content.decode()
    assert (answer.status_code, answer["X-Robots-Tag"]) == (200, "noindex")
    drawn = {path.stem for path in (ROOT / "static" / "img" / "drawings").glob("*.svg")}
    assert set(re.findall(r"img/drawings/([\w-]+)\.svg", page)) == drawn
    assert " style=" not in page


# --- The pictures -----------------------------------------------------------------------------------------------------
def test_demo_pictures_are_light_and_as_large_as_the_page_says() -> None:
    folder = ROOT / "static" / "img" / "demo"
    names = {path.name for path in folder.glob("*.webp")}
    assert names == {f"case-{case['name']}-{width}.webp" for case in pages.GALLERY for width in (210, 420)}
    for case in pages.GALLERY:
        with Image.open(folder / f"case-{case['name']}-210.webp") as small:
            assert small.size == (210, case["height"])
    assert max(path.stat().st_size for path in folder.glob("*.webp")) <= 25_000
    assert "CC0" in (folder / "README.md").read_text("utf-8")


@pytest.mark.django_db
def test_the_gallery_takes_its_place_before_it_loads() -> None:
    page = Client().get("/").content.decode()
    shown = re.findall(r"<li><img [^>]*case-[^>]*>", page)
    assert len(shown) == 8
    for picture in shown:
        assert re.search(r'srcset="\S+-210\S* 210w, \S+-420\S* 420w"', picture)
        assert re.search(r'width="210" height="\d{3}" loading="lazy"', picture)


# --- The manifest -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "name"), [("en", "pimpshop: your photo on your phone case"), ("zh-hans", None)]
)
def test_the_manifest(client: Client, language: str, name: str | None) -> None:
    answer = client.get(f"/app.{language}.webmanifest")
    body = answer.json()
    with translation.override(language):
        assert body["name"] == (name or translation.gettext("pimpshop: your photo on your phone case"))
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "application/manifest+json", "public, max-age=86400",
    )  # fmt: skip
    assert (body["lang"], body["start_url"], body["display"], answer.cookies) == (
        language, "/", "standalone", {},
    )  # fmt: skip
    for icon in body["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        with Image.open(str(path)) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
    assert [icon["purpose"] for icon in body["icons"]] == ["any", "any", "maskable"]


def test_no_manifest_in_a_language_that_we_do_not_speak(client: Client) -> None:
    assert client.get("/app.de.webmanifest").status_code == 404


@pytest.mark.django_db
def test_pages_name_the_manifest_of_their_language() -> None:
    for language in ("en", "zh-hans"):
        page = Client().get("/help/", headers={"accept-language": language}).content.decode()
        assert f'<link rel="manifest" href="/app.{language}.webmanifest">' in page


# --- Pages of errors --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "drawing", "title"),
    [
        (errors.Gone(), "expired", "This has run out"),
        (errors.NotFound(), "nothing", "There is nothing here"),
        (errors.ShopError("No.", status=403), "locked", "This is not open to you"),
        (errors.Unavailable(), "maintenance", "That did not work"),
        (errors.Conflict(), "scrambled", "That did not work"),
        (errors.TooManyRequests(retry_after=7), "slow", "That was a little too fast"),
    ],
)
def test_a_refusal_has_its_drawing(rf: Any, error: errors.ShopError, drawing: str, title: str) -> None:
    request = rf.get("/studio/?brand=1")
    answer = views.page_error(request, error)
    page = answer.content.decode()
    assert answer.status_code == error.status
    assert re.findall(r"img/drawings/(\w+)\.svg", page) == [drawing]
    assert title in page
    assert ("What was paid stays on the page of its order." in page) is (error.status == 410)
    if error.status == 429:
        assert (answer["Retry-After"], 'href="/studio/?brand=1"' in page) == ("7", True)
        assert "Please wait 7 seconds, then try again." in page


@pytest.mark.django_db
def test_a_stale_form_leads_back_to_its_page() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        "/accounts/login/",
        {"login": "a"},
        headers={"referer": "http://testserver/accounts/login/?next=/account/"},
    )
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This page was open for too long" in page
    assert 'href="/accounts/login/?next=%2Faccount%2F"' in page


# --- Help, languages --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "text"),
    [
        (30, "They are removed 30 days after it was printed."),
        (1, "They are removed 1 day after it was printed."),
    ],
)
def test_help_says_how_long_photos_are_kept_and_where_to_write(settings: Any, days: int, text: str) -> None:
    settings.PHOTOS_KEPT_DAYS, settings.DEFAULT_FROM_EMAIL = days, "Our shop <help@example.org>"
    page = Client().get("/help/").content.decode()
    assert text in page
    assert 'href="mailto:help@example.org"' in page


@pytest.mark.django_db
def test_help_promises_nothing_where_photos_are_kept(settings: Any) -> None:
    settings.PHOTOS_KEPT_DAYS = 0
    assert "They are removed" not in Client().get("/help/").content.decode()


@pytest.mark.django_db
def test_a_language_is_called_by_its_own_name() -> None:
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(make.user())
    page = client.get("/account/").content.decode()
    assert re.findall(r'<option value="(en|zh-hans)" lang="\1"[^>]*>([^<]+)<', page) == [
        ("en", "English"), ("zh-hans", "简体中文"),
    ]  # fmt: skip

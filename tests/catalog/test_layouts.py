"""Layouts: read strictly, one canonical text and hash, resolution in dpi, the default that covers the case."""

from __future__ import annotations

import copy
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

import catalog
from catalog.services import fonts, layouts, template_specs
from catalog.services.geometry import Box, Cutout, Geometry

PHOTO = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b11"
SHELL = Geometry.of(Decimal("73.24"), Decimal("149.27"))
TEMPLATES = json.loads((Path(catalog.__file__).parent / "fixtures" / "templates.json").read_text("utf-8"))


def example() -> dict[str, Any]:
    return {
        "version": 1,
        "template": "classic",
        "background": "#FFFFFF",
        "items": [
            {"kind": "photo", "photo": PHOTO, "slot": 0, "cx": 36.62, "cy": 74.63, "width": 80.0, "rotation": 0.0},
            {"kind": "text", "text": "Hello 你好", "font": "latin", "cx": 36.6, "cy": 130.0, "size": 8.0,
             "color": "#111111", "rotation": 0.0},
        ],
    }  # fmt: skip


def changed(path: str, value: object) -> dict[str, Any]:
    """The example with one value exchanged: `items.0.cx`."""
    data: Any = copy.deepcopy(example())
    spot = data
    *way, last = path.split(".")
    for step in way:
        spot = spot[int(step)] if step.isdigit() else spot[step]
    spot[last] = value
    return data


def refusal(source: Any, **options: Any) -> layouts.LayoutRefused:
    with pytest.raises(layouts.LayoutRefused) as caught:
        layouts.parse_layout(source, **options)
    return caught.value


def test_the_example_is_read() -> None:
    layout = layouts.parse_layout(example())
    assert layout == layouts.Layout(
        "classic",
        "#ffffff",
        (
            layouts.PhotoItem(PHOTO, 0, 36.62, 74.63, 80.0, 0.0),
            layouts.TextItem("Hello 你好", "latin", 36.6, 130.0, 8.0, "#111111", 0.0),
        ),
    )
    assert layouts.parse_layout(json.dumps(example())) == layout
    assert layouts.parse_layout(layouts.as_json(layout)) == layout


def test_canonical_text_and_hash_are_fixed() -> None:
    layout = layouts.parse_layout(example())
    assert layouts.canonical(layout) == (
        '{"background":"#ffffff","items":[{"cx":36.62,"cy":74.63,"kind":"photo",'
        f'"photo":"{PHOTO}","rotation":0.0,"slot":0,"width":80.0}},'
        '{"color":"#111111","cx":36.6,"cy":130.0,"font":"latin","kind":"text","rotation":0.0,"size":8.0,'
        '"text":"Hello 你好"}],"template":"classic","version":1}'
    )
    assert layouts.layout_hash(layout) == "5374d2a7132c09c0511de27553e4daf92baad380012a4fb997f7d94ae773c913"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("items.0.cx", 36.6200001),
        ("items.0.width", 80),
        ("items.0.rotation", 360),
        ("items.0.rotation", -0.0),
        ("items.0.rotation", 359.99999),
        ("items.0.photo", PHOTO.upper()),
        ("background", "#ffffff"),
        ("items.1.text", "  Hello 你好 "),
    ],
)
def test_what_draws_the_same_has_the_same_hash(path: str, value: object) -> None:
    same = layouts.layout_hash(layouts.parse_layout(changed(path, value)))
    assert same == layouts.layout_hash(layouts.parse_layout(example()))


@pytest.mark.parametrize(
    ("path", "value"),
    [("items.0.cx", 36.621), ("items.0.rotation", 0.001), ("background", "#fffffe"), ("items.1.text", "Hello 你 好"),
     ("template", None), ("items.0.slot", 1), ("items.1.font", "chinese")],
)  # fmt: skip
def test_what_draws_otherwise_has_another_hash(path: str, value: object) -> None:
    other = layouts.layout_hash(layouts.parse_layout(changed(path, value)))
    assert other != layouts.layout_hash(layouts.parse_layout(example()))


HUGE = 10**400


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("version", 2, "out_of_range"),
        ("version", True, "not_a_number"),
        ("version", 1.0, "not_a_number"),
        ("template", "../etc", "unknown_template"),
        ("template", "", "unknown_template"),
        ("template", 5, "wrong_type"),
        ("background", "white", "bad_colour"),
        ("background", "#fff", "bad_colour"),
        ("background", "#ffffff\n", "bad_colour"),
        ("background", None, "wrong_type"),
        ("extra", 1, "unknown_key"),
        ("items", None, "wrong_type"),
        ("items", {}, "wrong_type"),
        ("items", [None], "wrong_type"),
        ("items", [{}], "missing"),
        ("items", [{"kind": "video"}], "bad_choice"),
        ("items", example()["items"][:1] * 27, "too_many_items"),
        ("items", example()["items"][:1] * 7, "too_many_photos"),
        ("items", example()["items"][1:] * 9, "too_many_texts"),
        ("items.0.photo", "not-an-id", "unknown_photo"),
        ("items.0.photo", PHOTO[:-1] + "\0", "unknown_photo"),
        ("items.0.photo", "{" + PHOTO + "}", "unknown_photo"),
        ("items.0.slot", 6, "out_of_range"),
        ("items.0.slot", -1, "out_of_range"),
        ("items.0.slot", 0.5, "not_a_number"),
        ("items.0.cx", float("nan"), "out_of_range"),
        ("items.0.cx", float("inf"), "out_of_range"),
        ("items.0.cx", HUGE, "out_of_range"),
        ("items.0.cx", -HUGE, "out_of_range"),
        ("items.0.cx", "36", "not_a_number"),
        ("items.0.cx", None, "not_a_number"),
        ("items.0.cx", True, "not_a_number"),
        ("items.0.cx", 1000.001, "out_of_range"),
        ("items.0.width", 0, "out_of_range"),
        ("items.0.width", 4.9, "out_of_range"),
        ("items.0.rotation", 1e9, "out_of_range"),
        ("items.0.height", 10, "unknown_key"),
        ("items.1.text", "", "text_empty"),
        ("items.1.text", " \u3000", "text_empty"),
        ("items.1.text", "a" * 41, "text_too_long"),
        ("items.1.text", "a" * 100_000, "text_too_long"),
        ("items.1.text", ["a"], "wrong_type"),
        ("items.1.font", "comic", "bad_choice"),
        ("items.1.size", 1.9, "out_of_range"),
        ("items.1.size", 41, "out_of_range"),
        ("items.1.color", "#12345g", "bad_colour"),
    ],
)
def test_refused(path: str, value: object, code: str) -> None:
    assert refusal(changed(path, value)).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        ("[]", "wrong_type"),
        ("null", "wrong_type"),
        ('{"version": NaN}', "not_a_number"),
        ('{"version": Infinity}', "not_a_number"),
        ('{"version": 1, "version": 1, "items": []}', "duplicate_key"),
        ('{"version": 1}', "missing"),
        ("[" * 60_000, "bad_json"),
        ('{"version": ' + "9" * 5_000 + "}", "bad_json"),
        (" " * 70_000, "too_large"),
        (b"\xff\xfe\x00", "bad_json"),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_bad_text_is_refused(text: str | bytes, code: str) -> None:
    assert refusal(text).code == code


@pytest.mark.parametrize(
    ("text", "character", "words"),
    [
        ("I 😀 you", "😀", "Emoji cannot be printed"),
        ("❤️", "❤", "Emoji cannot be printed"),
        ("龘", "龘", "cannot be printed"),
        ("مرحبا", "م", "cannot be printed"),
        ("a\0b", "U+0000", "invisible"),
        ("a\nb", "U+000A", "invisible"),
        ("a\u200bb", "U+200B", "invisible"),
        ("a\u202eb", "U+202E", "invisible"),
        ("a\u00adb", "U+00AD", "invisible"),
        ("\ud800", "U+D800", "invisible"),
    ],
)
def test_a_character_without_glyph_is_named(text: str, character: str, words: str) -> None:
    with translation.override("en"):
        error = refusal(changed("items.1.text", text))
        assert error.code == "unsupported_character"
        assert character in error.message
        assert words in error.message


@pytest.mark.parametrize(
    "text", ["Zoë & Łukasz", "生日快乐！", "¥19.99 – £5 €", "“引号”…", "♥★", "A\u3000B", "100 %"]
)
def test_what_people_write_is_taken(text: str) -> None:
    assert layouts.clean_text(text) == text


def test_text_is_composed_and_freed_of_variation_selectors() -> None:
    assert layouts.clean_text("Noe\u0308l ♥\ufe0f") == "Noël ♥"


def test_the_fonts_know_all_of_gb_2312() -> None:
    hanzi = {bytes((a, b)) for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF)} - {
        bytes((0xD7, b)) for b in range(0xFA, 0xFF)  # five places that the standard leaves empty
    }  # fmt: skip
    wanted = {pair.decode("gb2312") for pair in hanzi}
    assert len(wanted) == 6763
    assert wanted <= fonts.characters("chinese")
    assert set(map(chr, range(0x20, 0x7F))) <= fonts.characters("latin") & fonts.characters("chinese")


def test_slots_are_those_of_the_template() -> None:
    duo = next(item for item in TEMPLATES if item["slug"] == "duo")
    spec = template_specs.parse_spec(duo["spec"])
    assert layouts.parse_layout(changed("items.0.slot", 1), spec=spec).photos[0].slot == 1
    assert refusal(changed("items.0.slot", 2), spec=spec).code == "bad_slot"
    assert refusal(changed("items.0.slot", 1), spec=template_specs.TemplateSpec()).code == "bad_slot"


def test_dpi_is_pixels_per_inch_of_print() -> None:
    item = layouts.parse_layout(example()).photos[0]
    assert layouts.dpi_of(item, (800, 600)) == pytest.approx(254)
    layout = layouts.Layout(None, "#ffffff", (item,))
    # 150 dpi over 80 mm are 472.44 pixels.
    assert layouts.low_resolution(layout, {PHOTO: (472, 9999)}) == [item]
    assert layouts.low_resolution(layout, {PHOTO: (473, 1)}) == []
    assert layouts.low_resolution(layout, {PHOTO: (473, 1)}, threshold=151) == [item]
    with pytest.raises(layouts.LayoutRefused) as caught:
        layouts.low_resolution(layout, {})
    assert caught.value.code == "unknown_photo"


@given(st.integers(1, 12_000), st.integers(1, 12_000), st.sampled_from(TEMPLATES))
def test_the_default_layout_covers_every_slot(width: int, height: int, template: dict[str, Any]) -> None:
    spec = template_specs.parse_spec(template["spec"])
    layout = layouts.cover_layout([(PHOTO, (width, height))], SHELL, spec, template["slug"])
    assert [item.slot for item in layout.photos] == list(range(spec.slot_count))
    for item in layout.photos:
        box = layouts.slot_box(SHELL, spec, item.slot)
        if item.width < layouts.PHOTO_WIDTH_MM[1]:  # a very flat photo cannot cover: a metre is the widest
            assert item.width >= box.w
            assert item.width * height / width >= box.h - 0.001
        assert layouts.parse_layout(layouts.as_json(layout), spec=spec) == layout


def test_the_default_layout_is_no_larger_than_needed() -> None:
    item = layouts.cover_layout([(PHOTO, (3000, 4000))], SHELL).photos[0]
    assert (item.cx, item.cy, item.width) == (36.62, 74.635, 114.953)  # 153.27 mm high at 3 : 4


def test_photos_fill_the_slots_in_turn() -> None:
    quad = template_specs.parse_spec(next(item for item in TEMPLATES if item["slug"] == "quad")["spec"])
    ids = [str(uuid.UUID(int=number)) for number in (1, 2)]
    layout = layouts.cover_layout([(one, (100, 100)) for one in ids], SHELL, quad, "quad")
    assert [item.photo for item in layout.photos] == [*ids, *ids]
    assert layouts.cover_layout([], SHELL, quad).items == ()


def test_clamp_brings_lost_items_back() -> None:
    data = changed("items.0.cx", -500)
    data["items"][0]["width"] = 1000
    data["items"][1]["cy"] = 900
    photo, text = layouts.clamp(layouts.parse_layout(data), SHELL).items
    assert (photo.cx, photo.cy, photo.width) == (0.0, 74.63, 895.62)
    assert (text.cx, text.cy) == (36.6, 149.27)
    untouched = layouts.parse_layout(example())
    assert layouts.clamp(untouched, SHELL) == untouched


def test_geometry_from_a_row() -> None:
    hole = {"x": 3, "y": 3.5, "w": "36", "h": Decimal("38"), "r": 9}
    shell = Geometry.of(Decimal("73.24"), Decimal("149.27"), Decimal("2.00"), Decimal("10"), [hole])
    assert shell.cutouts == (Cutout(3.0, 3.5, 36.0, 38.0, 9.0),)
    assert shell.print_size == (912, 1810)
    assert shell.place(0, 0.5, 0.5, 0.5) == Box(-2.0, 74.635, 38.62, 76.635)
    for bad in ((0, 10), (10, 401), (10, -1)):
        with pytest.raises(ValueError, match="400 mm"):
            Geometry.of(*bad)
    with pytest.raises(ValueError, match="cut-out"):
        Geometry.of(10, 10, cutouts=[{"x": 1, "y": 1, "w": 0, "h": 1}])


def test_the_templates_of_the_shop_are_valid_and_fourteen() -> None:
    assert [item["slug"] for item in TEMPLATES] == [
        "classic", "polaroid", "film", "duo", "quad", "frame", "gradient-band", "minimal",
        "trio", "mosaic", "booth", "polaroids", "six", "bubbles",
    ]  # fmt: skip
    counts = [template_specs.parse_spec(item["spec"]).slot_count for item in TEMPLATES]
    assert counts == [1, 1, 1, 2, 4, 1, 1, 1, 3, 4, 3, 2, 6, 3]
    assert all(item["name_en"] and item["name_zh"] for item in TEMPLATES)


@pytest.mark.parametrize(
    "spec",
    [
        [],
        {"overlays": []},
        {"slots": [{"x": 0, "y": 0, "w": 0, "h": 1}]},
        {"slots": [{"x": 0, "y": 0, "w": 1, "h": 1, "z": 1}]},
        {"slots": [{"x": 0, "y": 0, "w": 1, "h": 1}] * 7},
        {"overlay": [{"kind": "star"}]},
        {"overlay": [{"kind": "rect", "x": 0, "y": 0, "w": 1, "h": 1, "color": "red"}]},
        {
            "overlay": [
                {"kind": "line", "x1": 0, "y1": 0, "x2": 9, "y2": 1, "thickness": 0.1, "color": "#000000"}
            ]
        },
    ],
)
def test_a_bad_spec_is_refused(spec: object) -> None:
    with pytest.raises(layouts.LayoutRefused):
        template_specs.parse_spec(spec)

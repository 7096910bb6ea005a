"""What came later to a layout's items: crop, filter, adjustments, outline, arc, stickers, a second background.

Old layouts keep their text and hash; whatever is read comes back the same from its own JSON.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.services import filters, layouts, stickers

PHOTO = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b11"
OTHER = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b12"


def photo(**values: Any) -> dict[str, Any]:
    return {"kind": "photo", "photo": PHOTO, "cx": 36.62, "cy": 74.63, "width": 80, **values}


def text(**values: Any) -> dict[str, Any]:
    return {"kind": "text", "text": "Hello 你好", "cx": 36.6, "cy": 130, "size": 8, **values}


def sticker(**values: Any) -> dict[str, Any]:
    return {"kind": "sticker", "sticker": "heart", "cx": 20, "cy": 30, "width": 15, **values}


def whole(*items: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"version": 1, "items": list(items), **values}


def read(*items: dict[str, Any], **values: Any) -> layouts.Layout:
    return layouts.parse_layout(whole(*items, **values))


def refusal(source: dict[str, Any]) -> layouts.LayoutRefused:
    with pytest.raises(layouts.LayoutRefused) as caught:
        layouts.parse_layout(source)
    return caught.value


#: Hashes of layouts as they were before any of these fields existed.
OLD = {
    "9284cba7c39774b0beae26e9cf3478000283efd23d736ba3c6a90d075bf92a1d": whole(),
    "385eb5c8be8fa7750309a2bc1159089d594e16b7ac3619f5ae0c09cd664be52a": whole(photo(), background="#808080"),
    "1f150a9f10cccd983758f61aafd887be1e614a05aaadf09137fe3e2a0f4f68c6": whole(
        photo(rotation=-90), photo(photo=OTHER, slot=1, width=120.5), template="duo", background="#16161A"
    ),
    "ed9611716e21846b77689518dccc2f0a9cdb86e5d1ba3b32e1a79e5d2cbdc03a": whole(
        text(), text(text="Zoë ♥", font="chinese", color="#E11D48", rotation=12.3456, size=40), template=None
    ),
    "15a7aa20690b098ab25d6fc429c2fde878a402874afa792df03f9051ca0a4f85": whole(
        text(text="above"), *(photo(slot=n, cx=10 * n, width=40) for n in range(4)),
        text(text="Summer 夏天", size=9), template="quad",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sha256", OLD)
def test_old_layouts_keep_their_hash(sha256: str) -> None:
    assert layouts.layout_hash(layouts.parse_layout(OLD[sha256])) == sha256


def test_what_stands_at_its_default_is_left_out() -> None:
    plain = read(photo(), text())
    said = read(
        photo(filter="none", brightness=0, contrast=0, saturation=0, crop={"x": 0, "y": 0, "w": 1, "h": 1}),
        text(outline=None, curve=0),
        background2=None,
    )
    assert said == plain
    assert layouts.canonical(said) == layouts.canonical(plain)
    assert read(photo(crop=None), text(curve=-0.0004)) == plain
    assert read(background="#aabbcc", background2="#AABBCC") == read(background="#aabbcc")
    assert set(layouts.as_json(plain)["items"][0]) == {  # type: ignore[index]
        "kind", "photo", "slot", "cx", "cy", "width", "rotation",
    }  # fmt: skip


def test_the_canonical_text_of_everything_is_fixed() -> None:
    layout = read(
        photo(filter="sepia", brightness=10, contrast=-20, saturation=100, crop={"x": 0.1, "y": 0, "w": 0.5, "h": 0.25}),
        sticker(rotation=370),
        text(outline="#FFFFFF", curve=90),
        background="#000000", background2="#0000FF",
    )  # fmt: skip
    assert json.loads(layouts.canonical(layout)) == {
        "version": 1, "template": None, "background": "#000000", "background2": "#0000ff",
        "items": [
            {"kind": "photo", "photo": PHOTO, "slot": 0, "cx": 36.62, "cy": 74.63, "width": 80.0, "rotation": 0.0,
             "filter": "sepia", "brightness": 10, "contrast": -20, "saturation": 100,
             "crop": {"x": 0.1, "y": 0.0, "w": 0.5, "h": 0.25}},
            {"kind": "sticker", "sticker": "heart", "cx": 20.0, "cy": 30.0, "width": 15.0, "rotation": 10.0},
            {"kind": "text", "text": "Hello 你好", "font": "latin", "cx": 36.6, "cy": 130.0, "size": 8.0,
             "color": "#111111", "rotation": 0.0, "outline": "#ffffff", "curve": 90.0},
        ],
    }  # fmt: skip
    assert layouts.layout_hash(layout) == "be172d95b69035110a7061fbba43efef65bfc72ae9ac5dd3eac1cc2a396278d9"
    assert [len(found) for found in (layout.photos, layout.texts, layout.stickers)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (photo(filter="neon"), "bad_choice"),
        (photo(filter=None), "wrong_type"),
        (photo(brightness=101), "out_of_range"),
        (photo(contrast=-101), "out_of_range"),
        (photo(saturation=0.5), "not_a_number"),
        (photo(crop=[0, 0, 1, 1]), "wrong_type"),
        (photo(crop={"x": 0, "y": 0, "w": 1}), "missing"),
        (photo(crop={"x": 0, "y": 0, "w": 1, "h": 1, "r": 1}), "unknown_key"),
        (photo(crop={"x": 0, "y": 0, "w": 0.049, "h": 1}), "out_of_range"),
        (photo(crop={"x": 0.6, "y": 0, "w": 0.5, "h": 1}), "out_of_range"),
        (photo(crop={"x": 0, "y": 0.002, "w": 1, "h": 1}), "out_of_range"),
        (photo(crop={"x": -0.1, "y": 0, "w": 1, "h": 1}), "out_of_range"),
        (text(outline="white"), "bad_colour"),
        (text(outline=1), "wrong_type"),
        (text(curve=181), "out_of_range"),
        (text(curve="90"), "not_a_number"),
        (text(filter="mono"), "unknown_key"),
        (photo(curve=10), "unknown_key"),
        (sticker(sticker="unicorn"), "unknown_sticker"),
        (sticker(sticker=None), "wrong_type"),
        (sticker(width=2.9), "out_of_range"),
        (sticker(width=201), "out_of_range"),
        (sticker(slot=0), "unknown_key"),
        ({"kind": "sticker", "cx": 1, "cy": 1, "width": 9}, "missing"),
    ],
)
def test_refused(item: dict[str, Any], code: str) -> None:
    assert refusal(whole(item)).code == code


def test_refusals_are_friendly() -> None:
    with translation.override("en"):
        error = refusal(whole(*[sticker()] * 13))
        assert (error.code, error.message) == ("too_many_stickers", "A design can have up to 12 stickers.")
        assert refusal(whole(sticker(sticker="unicorn"))).message == (
            "We do not have this sticker any more. Please choose another one."
        )
    assert refusal(whole(background2="blue")).code == "bad_colour"
    full = whole(*[photo()] * 6, *[text()] * 8, *[sticker()] * 12)
    assert len(layouts.parse_layout(full).items) == 26


def test_a_crop_that_rounding_pushed_over_the_edge_is_pulled_back() -> None:
    item = read(photo(crop={"x": 0.3335, "y": 0.95, "w": 0.6666, "h": 0.0504})).photos[0]
    assert item.crop == layouts.Crop(0.333, 0.95, 0.667, 0.05)
    assert read(photo(crop={"x": 0.951, "y": 0, "w": 0.05, "h": 1})).photos[0].crop.x == 0.95


def test_a_crop_counts_for_the_resolution() -> None:
    item = read(photo(crop={"x": 0, "y": 0, "w": 0.5, "h": 1})).photos[0]
    assert layouts.dpi_of(item, (800, 600)) == pytest.approx(127)
    layout = layouts.Layout(None, "#ffffff", (item,))
    assert layouts.low_resolution(layout, {PHOTO: (944, 1)}) == [item]  # 472 pixels over 80 mm are 149.9 dpi
    assert layouts.low_resolution(layout, {PHOTO: (946, 1)}) == []


# --- Everything that can be sent ---------------------------------------------------------------------------------------
degrees, place = st.floats(-3600, 3600), st.floats(-1000, 1000)
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
tones = st.integers(-100, 100)
crops = st.tuples(st.floats(0, 0.94), st.floats(0, 0.94), st.floats(0, 1), st.floats(0, 1)).map(
    lambda c: {"x": c[0], "y": c[1], "w": 0.05 + (0.95 - c[0]) * c[2], "h": 0.05 + (0.95 - c[1]) * c[3]}
)
photos = st.fixed_dictionaries(
    {"kind": st.just("photo"), "photo": st.uuids().map(str), "cx": place, "cy": place, "width": st.floats(5, 1000)},
    optional={"slot": st.integers(0, 5), "rotation": degrees, "filter": st.sampled_from(filters.names()),
              "brightness": tones, "contrast": tones, "saturation": tones, "crop": st.none() | crops},
)  # fmt: skip
texts = st.fixed_dictionaries(
    {"kind": st.just("text"), "text": st.text("aZ é你好♥", min_size=1, max_size=38).map(lambda t: f"x{t}x"),
     "cx": place, "cy": place, "size": st.floats(2, 40)},
    optional={"font": st.sampled_from(["latin", "chinese"]), "color": colours, "rotation": degrees,
              "outline": st.none() | colours, "curve": st.floats(-180, 180)},
)  # fmt: skip
stuck = st.fixed_dictionaries(
    {"kind": st.just("sticker"), "sticker": st.sampled_from(list(stickers.catalogue())), "cx": place, "cy": place,
     "width": st.floats(3, 200)},
    optional={"rotation": degrees},
)  # fmt: skip
designs = st.fixed_dictionaries(
    {"version": st.just(1), "items": st.lists(photos | texts | stuck, max_size=6)},
    optional={"template": st.sampled_from([None, "classic"]), "background": colours, "background2": st.none() | colours},
)  # fmt: skip


@settings(max_examples=50)
@given(designs)
def test_whatever_is_read_comes_back_the_same(source: dict[str, Any]) -> None:
    layout = layouts.parse_layout(source)
    again = layouts.parse_layout(layouts.canonical(layout))
    assert again == layout
    assert layouts.canonical(again) == layouts.canonical(layout)
    assert len(layout.items) == len(source["items"])
    for item in layout.photos:
        assert uuid.UUID(item.photo)
        assert item.crop.w >= 0.05
        assert round(item.crop.x + item.crop.w, 3) <= 1
        assert round(item.crop.y + item.crop.h, 3) <= 1


@settings(max_examples=50)
@given(designs, st.sampled_from(["filter", "brightness", "crop", "outline", "curve", "background2"]))
def test_a_field_at_its_default_never_shows(source: dict[str, Any], name: str) -> None:
    """Leaving a field out and sending its default are one and the same text."""
    layout = layouts.parse_layout(source)
    text = layouts.canonical(layout)
    shown = f'"{name}":' in text
    standard: dict[str, object] = {"filter": "none", "brightness": 0, "crop": layouts.Crop(), "curve": 0.0}
    values = [layout.background2] if name == "background2" else [
        getattr(item, name) for item in layout.items if hasattr(item, name)
    ]  # fmt: skip
    assert shown == any(value != standard.get(name) for value in values)

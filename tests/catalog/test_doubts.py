"""What a design is warned about: words under the camera, words too near the edge, small photos."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from catalog.services import doubts, layouts
from catalog.services.geometry import Cutout, Geometry

PHOTO = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b11"
ISLAND = {"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}
ROUND = {"x": 40, "y": 60, "w": 20, "h": 20, "r": 10}
SHELL = Geometry.of("73.24", "149.27", 2, 10, [ISLAND, ROUND])


def text(words: str = "国", **values: Any) -> dict[str, Any]:
    return {"kind": "text", "text": words, "font": "chinese", "cx": 36.6, "cy": 120, "size": 6, **values}


def codes(*items: dict[str, Any], shell: Geometry = SHELL) -> list[str]:
    layout = layouts.parse_layout({"version": 1, "items": list(items)})
    return [warned.code for warned in doubts.about(layout, shell, {PHOTO: (100, 100)})]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (text(), []),
        (text(cx=20, cy=20), ["under_camera"]),
        (text(cx=20, cy=43), ["under_camera"]),  # its upper edge
        (text(cx=20, cy=43.9), []),
        (text(cx=20, cy=43.9, outline="#ffffff"), ["under_camera"]),  # its rim
        (text(cx=39, cy=58.5, size=4), []),  # in the corner of a round hole's box, not in the hole
        (text(cx=43, cy=62, size=4), ["under_camera"]),
        (text(cx=5, cy=100), ["outside_safe"]),
        (text(cx=5.7, cy=100), []),
        (text(cx=5.7, cy=100, outline="#ffffff"), ["outside_safe"]),
        (text(cx=36, cy=145), ["outside_safe"]),
        (text(cx=36, cy=143), []),
        (text(cx=500, cy=500), ["outside_safe"]),
        (text(cx=3, cy=10), ["under_camera", "outside_safe"]),
        (text("一国国国国国国国国国国一", cx=36.6, cy=120), ["outside_safe"]),
        (text("一国国国国国国国国国国一", cx=36.6, cy=100, rotation=90), []),
        (text("国国国国国", cx=36.6, cy=48), []),
        (text("国国国国国", cx=36.6, cy=48, curve=-100), ["under_camera"]),  # its ends rise
        (text("a b", cx=36.6, cy=120), []),
    ],
)  # fmt: skip
def test_words_under_the_camera_and_at_the_edge(item: dict[str, Any], found: list[str]) -> None:
    assert codes(item) == found


def test_each_doubt_is_told_once_and_kindly() -> None:
    small = {"kind": "photo", "photo": PHOTO, "cx": 36, "cy": 74, "width": 80}
    layout = layouts.parse_layout({"version": 1, "items": [small, *[text(cx=3, cy=10)] * 3]})
    with translation.override("en"):
        found = doubts.about(layout, SHELL, {PHOTO: (100, 100)})
    assert [(warned.code, warned.text) for warned in found] == [
        (
            "low_resolution",
            "This photo is small for its place (31 dpi) and may look blurred. Make it smaller or choose another one.",
        ),
        ("under_camera", "Part of your words is under the camera."),
        ("outside_safe", "Part of your words is very close to the edge and may be cut off."),
    ]  # fmt: skip


def test_the_safe_distance_is_the_shells() -> None:
    assert codes(text(cx=5, cy=100), shell=Geometry.of("73.24", "149.27", safe_mm="1.5")) == []
    assert codes(text(cx=6.5, cy=100), shell=Geometry.of("73.24", "149.27", safe_mm=8)) == ["outside_safe"]
    with pytest.raises(ValueError, match="room"):
        Geometry.of(10, 20, safe_mm=5)


def test_a_hole_has_round_corners() -> None:
    hole = Cutout(10, 10, 20, 30, 5)
    assert [hole.covers(*at) for at in ((20, 20), (10, 20), (20, 40), (11.5, 11.5))] == [True] * 4
    assert [hole.covers(*at) for at in ((9.9, 20), (20, 40.1), (10, 10), (11.4, 11.4))] == [False] * 4
    assert Cutout(0, 0, 4, 4).covers(0, 0)

"""Print file and preview: every millimetre where the layout says, the same picture at both scales, the same bytes again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

import catalog
from catalog.services import fonts, layouts, pictures, rendering, template_specs
from catalog.services.geometry import Geometry
from tests.support import images

PHOTO = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b11"
OTHER = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b12"
# 2.54 mm are 30 pixels of print: whole numbers all over.
BARE = Geometry.of("25.4", "50.8", "2.54")
SHELL = Geometry.of("73.24", "149.27", 2, 10, [{"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}])
WHITE, GREY = (255, 255, 255), (128, 128, 128)
TEMPLATES = json.loads((Path(catalog.__file__).parent / "fixtures" / "templates.json").read_text("utf-8"))
QUARTERS = images.encode(images.quarters(400, 400), "PNG")


def photo_item(**values: Any) -> dict[str, Any]:
    return {"kind": "photo", "photo": PHOTO, "cx": 12.7, "cy": 25.4, "width": 12.7, **values}


def text_item(**values: Any) -> dict[str, Any]:
    return {
        "kind": "text",
        "text": "Hello 你好",
        "cx": 12.7,
        "cy": 25.4,
        "size": 4,
        "color": "#000000",
        **values,
    }


def layout(*items: dict[str, Any], background: str = "#808080") -> layouts.Layout:
    return layouts.parse_layout({"version": 1, "background": background, "items": list(items)})


def printed(
    design: layouts.Layout,
    shell: Geometry = BARE,
    spec: dict[str, Any] | None = None,
    photos: dict[str, bytes] | None = None,
) -> Image.Image:
    photos = photos or {PHOTO: QUARTERS, OTHER: QUARTERS}
    template = template_specs.parse_spec(spec) if spec is not None else None
    return Image.open(io.BytesIO(rendering.render_print(design, shell, template, photos.__getitem__)))


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, ...], tolerance: int = 8) -> bool:
    return images.near(image.getpixel(at)[:3], colour, tolerance)


def test_a_print_file_has_the_right_size_density_and_colour_space() -> None:
    image = printed(layout(photo_item()))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (360, 660))
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert image.info["srgb"] == 1
    assert printed(layout(photo_item()), SHELL).size == (912, 1810)


def test_a_photo_lies_where_the_millimetres_say() -> None:
    """12.7 mm are 150 pixels; the centre is at (150, 300) of the trim, which begins at (30, 30)."""
    image = printed(layout(photo_item()))
    left, top, right, bottom = 180 - 75, 330 - 75, 180 + 75, 330 + 75
    assert near(image, (left, top), images.RED)
    assert near(image, (right - 1, top), images.BLUE)
    assert near(image, (left, bottom - 1), images.GREEN)
    assert near(image, (right - 1, bottom - 1), images.YELLOW)
    for outside in ((left - 1, top), (left, top - 1), (right, bottom - 1), (right - 1, bottom)):
        assert image.getpixel(outside) == GREY
    # The quarters meet in the middle.
    assert near(image, (177, 327), images.RED)
    assert near(image, (182, 332), images.YELLOW)


def test_the_height_follows_the_photo() -> None:
    wide = images.encode(images.quarters(400, 100), "PNG")
    image = printed(layout(photo_item(width=20.32)), photos={PHOTO: wide})  # 240 x 60 pixels
    assert near(image, (61, 301), images.RED)
    assert near(image, (298, 358), images.YELLOW)
    assert image.getpixel((61, 299)) == GREY
    assert image.getpixel((298, 360)) == GREY


@pytest.mark.parametrize(
    ("rotation", "corners"),
    [
        (0, images.CORNERS),
        (90, (images.GREEN, images.RED, images.YELLOW, images.BLUE)),
        (180, (images.YELLOW, images.GREEN, images.BLUE, images.RED)),
        (270, (images.BLUE, images.YELLOW, images.RED, images.GREEN)),
        (-90, (images.BLUE, images.YELLOW, images.RED, images.GREEN)),
    ],
)
def test_rotation_is_clockwise_about_the_centre(
    rotation: float, corners: tuple[tuple[int, ...], ...]
) -> None:
    image = printed(layout(photo_item(rotation=rotation)))
    spots = ((108, 258), (251, 258), (108, 401), (251, 401))
    found = tuple(image.getpixel(spot) for spot in spots)
    assert all(images.near(*pair) for pair in zip(found, corners, strict=True)), found
    for outside in ((180, 253), (180, 406), (103, 330), (256, 330)):
        assert image.getpixel(outside) == GREY


def test_a_turned_photo_has_smooth_edges_without_a_dark_fringe() -> None:
    white = images.encode(Image.new("RGB", (300, 300), "white"), "PNG")
    image = printed(layout(photo_item(rotation=45), background="#ffffff"), photos={PHOTO: white})
    assert image.convert("L").getextrema() == (255, 255)
    edge = printed(layout(photo_item(rotation=10)), photos={PHOTO: white}).convert("L")
    assert len(set(edge.tobytes())) > 10  # shades between grey and white


def test_a_turned_photo_that_is_larger_than_the_case_fills_it() -> None:
    image = printed(layout(photo_item(width=120, rotation=33)))
    assert GREY not in {colour for _count, colour in image.getcolors(1 << 20)}
    assert near(image, (179, 300), images.RED, 240)


def test_a_photo_beside_the_case_draws_nothing() -> None:
    for rotation in (0, 30):
        image = printed(layout(photo_item(cx=500, rotation=rotation)))
        assert image.getcolors() == [(360 * 660, GREY)]


def test_a_transparent_photo_lets_the_background_through() -> None:
    glass = images.quarters(100, 100).convert("RGBA")
    glass.paste((0, 0, 0, 0), (0, 0, 50, 50))
    for rotation in (0, 360 - 0.001):
        image = printed(layout(photo_item(rotation=rotation)), photos={PHOTO: images.encode(glass, "PNG")})
        assert near(image, (140, 290), GREY, 2)
        assert near(image, (220, 370), images.YELLOW)


def test_items_draw_in_order_texts_above_the_overlay() -> None:
    overlay = {"overlay": [{"kind": "rect", "x": 0, "y": 0.4, "w": 1, "h": 0.2, "color": "#00ff00"}]}
    square = {"text": "■", "font": "chinese", "size": 10, "color": "#ff0000"}
    design = layout(text_item(**square), photo_item(), photo_item(photo=OTHER, cx=16))
    photos = {PHOTO: QUARTERS, OTHER: images.encode(Image.new("RGB", (9, 9), images.BLUE), "PNG")}
    image = printed(design, spec=overlay, photos=photos)
    assert near(image, (190, 330), (255, 0, 0))  # the text, although it stands first
    assert image.getpixel((35, 330)) == (0, 255, 0)
    assert image.getpixel((5, 330)) == (0, 255, 0)  # drawn out over the bleed
    assert near(image, (190, 262), images.BLUE)  # the second photo covers the first


def test_photos_are_clipped_to_their_slots() -> None:
    spec = {
        "slots": [{"x": 0, "y": 0, "w": 1, "h": 0.5}, {"x": 0.1, "y": 0.6, "w": 0.8, "h": 0.3, "radius": 0.2}]
    }
    red, blue = (
        images.encode(Image.new("RGB", (9, 9), colour), "PNG") for colour in (images.RED, images.BLUE)
    )
    for rotation in (0, 20):
        design = layout(
            photo_item(slot=0, width=150, rotation=rotation),
            photo_item(slot=1, photo=OTHER, width=150, rotation=rotation),
        )
        image = printed(design, spec=spec, photos={PHOTO: red, OTHER: blue})
        assert near(image, (0, 0), images.RED)  # out over the bleed, for the slot reaches the edge
        assert near(image, (359, 329), images.RED)
        assert image.getpixel((0, 330)) == GREY
        # Slot 1: from (60, 390) to (300, 570), corners of 60 pixels.
        assert near(image, (180, 390), images.BLUE)
        assert near(image, (60, 480), images.BLUE)
        assert near(image, (299, 480), images.BLUE)
        assert near(image, (180, 569), images.BLUE)
        for outside in ((59, 480), (300, 480), (180, 389), (180, 570), (62, 392), (297, 567)):
            assert image.getpixel(outside) == GREY
    with pytest.raises(layouts.LayoutRefused):
        printed(layout(photo_item(slot=2)), spec=spec)


def test_cut_outs_are_holes_in_the_preview_and_nothing_in_print() -> None:
    hole = {"x": 2.54, "y": 2.54, "w": 7.62, "h": 7.62, "r": 2.54}
    shell = Geometry.of("25.4", "50.8", "2.54", 5.08, [hole])
    design = layout(photo_item(width=100), text_item(text="■■■■", size=20, cy=6))
    image = printed(design, shell)
    assert image.tobytes() == printed(design, Geometry.of("25.4", "50.8", "2.54", 5.08)).tobytes()
    assert image.getpixel((105, 105)) != WHITE
    raw = rendering.render_preview(design, shell, None, {PHOTO: QUARTERS}.__getitem__, 300, "PNG")
    preview = Image.open(io.BytesIO(raw))
    assert (preview.mode, preview.size) == ("RGBA", (300, 600))
    alpha = preview.getchannel("A")
    assert [alpha.getpixel(at) for at in ((75, 75), (33, 75))] == [0, 0]
    assert [alpha.getpixel(at) for at in ((28, 75), (31, 31), (200, 300), (150, 0))] == [255] * 4
    assert [alpha.getpixel(at) for at in ((0, 0), (299, 0), (0, 599), (299, 599))] == [
        0
    ] * 4  # rounded corners
    assert 0 < alpha.getpixel((17, 18)) < 255


def test_shapes_of_the_overlay() -> None:
    spec = {
        "overlay": [
            {"kind": "frame", "x": 0, "y": 0, "w": 1, "h": 1, "thickness": 0.1, "color": "#ff0000"},
            {"kind": "line", "x1": 0.5, "y1": 0.2, "x2": 0.5, "y2": 0.4, "thickness": 0.1, "color": "#00ff00"},
            {"kind": "ellipse", "x": 0.25, "y": 0.5, "w": 0.5, "h": 0.25, "color": "#0000ff", "opacity": 0.5},
            {"kind": "rect", "x": 0.2, "y": 0.8, "w": 0.6, "h": 0.1, "color": "#000000", "color2": "#ffffff",
             "direction": "right"},
        ]
    }  # fmt: skip
    image = printed(layout(), spec=spec)
    assert image.getpixel((0, 0)) == image.getpixel((59, 300)) == image.getpixel((359, 659)) == (255, 0, 0)
    assert image.getpixel((60, 60)) == GREY
    assert image.getpixel((165, 200)) == image.getpixel((194, 200)) == (0, 255, 0)
    assert image.getpixel((164, 200)) == image.getpixel((195, 200)) == image.getpixel((180, 149)) == GREY
    assert near(image, (180, 405), (64, 64, 191), 2)
    assert image.getpixel((108, 333)) == GREY
    ramp = [image.getpixel((x, 530))[0] for x in (92, 180, 267)]
    assert ramp[0] < 6
    assert 122 < ramp[1] < 134
    assert ramp[2] > 249


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The box of what is not white."""
    box = ImageChops.invert(image.convert("L")).getbbox()
    assert box is not None
    return box


def test_text_is_centred_and_as_large_as_its_em() -> None:
    left, top, right, bottom = ink(
        printed(layout(text_item(text="国", font="chinese", size=12.7), background="#ffffff"))
    )
    # The em is 150 pixels; a full-width character fills about nine tenths of it around the centre.
    assert abs((left + right) / 2 - 180) < 5
    assert abs((top + bottom) / 2 - 330) < 5
    assert 120 < right - left < 150
    assert 120 < bottom - top < 150


def test_text_turns_clockwise() -> None:
    line = text_item(text="Hello", size=6)
    across = ink(printed(layout(line, background="#ffffff")))
    down = ink(printed(layout({**line, "rotation": 90}, background="#ffffff")))
    assert abs((across[2] - across[0]) - (down[3] - down[1])) <= 2
    assert abs((across[3] - across[1]) - (down[2] - down[0])) <= 2
    # The H's stem comes first: turned clockwise it is at the top.
    upper = printed(layout({**line, "text": "■．．", "rotation": 90}, background="#ffffff")).convert("L")
    assert (
        ImageStat.Stat(upper.crop((0, 0, 360, 330))).mean[0]
        < ImageStat.Stat(upper.crop((0, 330, 360, 660))).mean[0]
    )


def test_each_character_is_drawn_by_a_font_that_has_it() -> None:
    chinese = fonts.draw_line("你", "chinese", 94)
    assert chinese.getbbox() is not None
    assert fonts.draw_line("你", "latin", 94).tobytes() == chinese.tobytes()  # falls back
    assert fonts.draw_line("a", "latin", 94).tobytes() != fonts.draw_line("a", "chinese", 94).tobytes()
    assert fonts.draw_line("ł", "chinese", 94).tobytes() == fonts.draw_line("ł", "latin", 94).tobytes()
    assert fonts.draw_line("你", "latin", 94).tobytes() != fonts.draw_line("好", "latin", 94).tobytes()


def whole_design() -> layouts.Layout:
    return layout(
        photo_item(cx=36.62, cy=74.63, width=116),
        photo_item(cx=50, cy=100, width=40, rotation=25, photo=OTHER),
        text_item(text="Summer 夏天 ♥", cx=36, cy=125, size=9, color="#ffffff"),
        text_item(text="2026", font="chinese", cx=20, cy=60, size=7, rotation=-30),
    )


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item["slug"])
def test_the_preview_shows_what_is_printed(template: dict[str, Any]) -> None:
    spec = template_specs.parse_spec(template["spec"])
    picture = pictures.read_picture(images.encode(images.quarters(1800, 2400)))
    small = pictures.make_working_copy(picture, 800)
    whole, reduced = (dict.fromkeys((PHOTO, OTHER), found.data) for found in (picture, small))

    print_file = Image.open(
        io.BytesIO(rendering.render_print(whole_design(), SHELL, spec, whole.__getitem__))
    )
    raw = rendering.render_preview(whole_design(), SHELL, spec, reduced.__getitem__, 400)
    preview = Image.open(io.BytesIO(raw))

    assert (preview.format, preview.mode, preview.size) == ("WEBP", "RGBA", (400, 815))
    edge = SHELL.bleed_mm * rendering.PRINT_SCALE
    trim = (edge, edge, print_file.width - edge, print_file.height - edge)
    expected = print_file.resize(preview.size, Image.Resampling.LANCZOS, box=trim)
    mask = preview.getchannel("A").point([0] * 255 + [255])
    difference = ImageStat.Stat(ImageChops.difference(expected, preview.convert("RGB")), mask).mean
    assert max(difference) < 5, difference


def test_the_same_design_gives_the_same_bytes() -> None:
    load = {PHOTO: QUARTERS, OTHER: QUARTERS}.__getitem__
    first, second = (rendering.render_print(whole_design(), SHELL, None, load) for _ in range(2))
    assert first == second
    first, second = (rendering.render_preview(whole_design(), SHELL, None, load, 240) for _ in range(2))
    assert first == second
    moved = layout(photo_item(cx=36.8))
    assert rendering.render_print(moved, SHELL, None, load) != rendering.render_print(
        layout(photo_item()), SHELL, None, load
    )


def test_a_photo_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(images.encode(images.quarters(), quality=95))
    image = printed(layout(photo_item()), photos={PHOTO: path})  # type: ignore[dict-item]
    assert near(image, (180, 330 - 20), images.BLUE, 240)
    assert near(image, (110, 300), images.RED, 12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_of_every_orientation_is_printed_upright(orientation: int) -> None:
    picture = pictures.read_picture(images.photo(320, 320, orientation))
    image = printed(layout(photo_item()), photos={PHOTO: picture.data})
    found = images.corners_of(image.crop((105, 255, 255, 405)))
    assert all(images.near(*pair) for pair in zip(found, images.CORNERS, strict=True)), found


def fault(png: bytes, shell: Geometry = SHELL) -> str:
    with pytest.raises(rendering.PrintFaulty) as caught:
        rendering.check_print(png, shell)
    return caught.value.code


def test_a_good_print_passes_the_check() -> None:
    load = {PHOTO: QUARTERS, OTHER: QUARTERS}.__getitem__
    rendering.check_print(rendering.render_print(whole_design(), SHELL, None, load), SHELL)


def test_the_check_finds_what_must_not_be_printed() -> None:
    right = {"dpi": (300, 300)}
    busy = images.quarters(912, 1810)
    assert fault(b"") == "not_png"
    assert fault(images.encode(busy, dpi=(300, 300))) == "not_png"
    assert fault(images.encode(busy, "PNG", **right)[:-2000]) == "not_png"
    assert fault(images.encode(busy.crop((0, 0, 911, 1810)), "PNG", **right)) == "wrong_size"
    assert fault(images.encode(busy, "PNG")) == "wrong_dpi"
    assert fault(images.encode(busy, "PNG", dpi=(72, 72))) == "wrong_dpi"
    assert fault(images.encode(busy.convert("RGBA"), "PNG", **right)) == "wrong_mode"
    for colour in ("#ffffff", "#808080", "#000000"):
        blank = rendering.render_print(layout(background=colour), SHELL, None, {}.__getitem__)
        assert fault(blank) == "blank"

"""Crop, colours, rims, arcs, stickers and a second background, pixel by pixel, in print and in the preview."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from catalog.services import filters, fonts, layouts, rendering, stickers
from catalog.services.geometry import Geometry
from tests.support import images

PHOTO = "3f0c8a3e-8a55-4c3c-9a7e-0d3c2f6f9b11"
# 2.54 mm are 30 pixels of print: whole numbers all over.
BARE = Geometry.of("25.4", "50.8", "2.54")
SHELL = Geometry.of("73.24", "149.27", 2, 10)
WHITE, GREY = (255, 255, 255), (128, 128, 128)
QUARTERS = images.encode(images.quarters(400, 400), "PNG")


def photo(**values: Any) -> dict[str, Any]:
    return {"kind": "photo", "photo": PHOTO, "cx": 12.7, "cy": 25.4, "width": 12.7, **values}


def text(**values: Any) -> dict[str, Any]:
    return {"kind": "text", "text": "Hello", "cx": 12.7, "cy": 25.4, "size": 4, "color": "#000000", **values}


def sticker(**values: Any) -> dict[str, Any]:
    return {"kind": "sticker", "sticker": "heart", "cx": 12.7, "cy": 25.4, "width": 12.7, **values}


def layout(*items: dict[str, Any], **values: Any) -> layouts.Layout:
    return layouts.parse_layout({"version": 1, "background": "#808080", "items": list(items), **values})


def printed(design: layouts.Layout, shell: Geometry = BARE, data: bytes = QUARTERS) -> Image.Image:
    return Image.open(io.BytesIO(rendering.render_print(design, shell, None, lambda _photo: data)))


def ink(image: Image.Image, colour: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box of the pixels of about this colour."""
    flat = Image.new("RGB", image.size, colour)
    away = ImageChops.difference(image.convert("RGB"), flat).convert("L")
    box = away.point([255 if value < 40 else 0 for value in range(256)]).getbbox()
    assert box is not None
    return box


# --- Photos ------------------------------------------------------------------------------------------------------------
def test_a_crop_shows_its_part_as_wide_as_the_item_says() -> None:
    """The lower half: two colours side by side, 150 pixels wide and 75 high about (180, 330)."""
    image = printed(layout(photo(crop={"x": 0, "y": 0.5, "w": 1, "h": 0.5})))
    assert images.near(image.getpixel((106, 310)), images.GREEN)
    assert images.near(image.getpixel((253, 310)), images.YELLOW)
    assert images.near(image.getpixel((253, 365)), images.YELLOW)
    for outside in ((104, 330), (255, 330), (180, 291), (180, 368)):
        assert image.getpixel(outside) == GREY
    quarter = printed(layout(photo(crop={"x": 0.55, "y": 0.05, "w": 0.4, "h": 0.4}, rotation=45)))
    colours = {colour for count, colour in quarter.getcolors(1 << 20) if count > 500}
    assert colours == {GREY, images.BLUE}


def test_a_crop_of_a_jpeg_decodes_enough_pixels() -> None:
    """A tenth of a large photo fills the item: it is cut from the full photo, not from a reduced one."""
    large = images.quarters(4000, 4000)
    large.paste((0, 0, 0), (2000, 2000, 2002, 2400))
    data = images.encode(large, quality=95)
    image = printed(layout(photo(crop={"x": 0.45, "y": 0.5, "w": 0.1, "h": 0.1}, width=20.32)), data=data)
    assert images.near(image.getpixel((180, 330)), (0, 0, 0), 60)  # two pixels of 400, over 240 of print


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"filter": "mono"}, "mono"),
        ({"filter": "sepia"}, "sepia"),
        ({"filter": "vivid"}, "vivid"),
        ({"brightness": 100}, (255, 148, 148)),  # 20 + 127.5, 230 + 127.5
        ({"brightness": -100}, (103, 0, 0)),
        ({"contrast": -100}, (128, 128, 128)),
        ({"contrast": 100}, (255, 0, 0)),
        ({"saturation": -100}, (83, 83, 83)),  # 0.299 * 230 + 0.587 * 20 + 0.114 * 20
        (
            {"saturation": 100, "brightness": 100},
            (255, 85, 85),
        ),  # 2 * 20 - 82.79 + 127.5: clamped once, at the end
    ],
)
def test_colours_change_as_the_matrix_says(values: dict[str, Any], expected: Any) -> None:
    if isinstance(expected, str):
        m = filters.presets()[expected]
        exact = [sum(m[4 * row + n] * images.RED[n] for n in range(3)) + m[4 * row + 3] for row in range(3)]
        expected = tuple(min(255, max(0, int(value + 0.5))) for value in exact)
    for rotation in (0, 180):
        image = printed(layout(photo(rotation=rotation, **values)))
        spot = (140, 290) if not rotation else (220, 370)
        assert images.near(image.getpixel(spot), expected, 1), image.getpixel(spot)
        assert image.getpixel((30, 30)) == GREY  # the background keeps its colour


def test_a_transparent_photo_stays_transparent_in_other_colours() -> None:
    glass = images.quarters(100, 100).convert("RGBA")
    glass.paste((0, 0, 0, 0), (0, 0, 50, 50))
    image = printed(layout(photo(filter="fade", brightness=50)), data=images.encode(glass, "PNG"))
    assert image.getpixel((140, 290)) == GREY
    assert image.getpixel((220, 370)) not in (GREY, images.YELLOW)


def test_the_order_of_the_colour_steps() -> None:
    item = layout(photo(filter="warm", saturation=20, contrast=-30, brightness=10)).photos[0]
    steps = [filters.presets()["warm"], filters.saturation(20), filters.contrast(-30), filters.brightness(10)]
    found = steps[0]
    for step in steps[1:]:
        found = filters.multiplied(step, found)
    assert filters.matrix_of(item) == pytest.approx(found)
    assert filters.multiplied(filters.brightness(10), filters.contrast(50))[3] == pytest.approx(12.75 - 63.75)
    assert filters.matrix_of(layout(photo()).photos[0]) is None


def test_the_filters_of_the_shop() -> None:
    assert filters.names() == ("none", "mono", "sepia", "warm", "cool", "vivid", "fade")
    assert all(len(matrix) == 12 for matrix in filters.presets().values())


# --- Background --------------------------------------------------------------------------------------------------------
def test_a_second_colour_makes_a_gradient_from_top_to_bottom() -> None:
    image = printed(layout(background="#000000", background2="#ffffff"))
    column = [image.getpixel((5, y))[0] for y in range(660)]
    assert (column[0], column[-1]) == (0, 255)
    assert column == sorted(column)
    assert abs(column[330] - 128) <= 1
    raw = rendering.render_preview(
        layout(background="#000000", background2="#ffffff"), BARE, None, {}.__getitem__, 300, "PNG"
    )
    preview = Image.open(io.BytesIO(raw))
    assert abs(preview.getpixel((150, 0))[0] - column[30]) <= 1  # the bleed takes the first colour's end
    assert abs(preview.getpixel((150, 599))[0] - column[629]) <= 1


# --- Texts -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("font", fonts.NAMES)
@pytest.mark.parametrize("curve", [0, 60])
def test_an_outline_is_a_rim_of_a_twelfth_around_the_letters(font: str, curve: float) -> None:
    """The em is 120 pixels: the rim is ten wide on every side, and the letters keep their own colour."""
    line = text(text="好Oh", font=font, size=10.16, cx=12.7, curve=curve, color="#ff0000")
    plain = printed(layout(line))
    rimmed = printed(layout({**line, "outline": "#0000ff"}))
    inner, outer = ink(plain, (255, 0, 0)), ink(rimmed, (0, 0, 255))
    for edge, sign in enumerate((1, 1, -1, -1)):
        assert abs((inner[edge] - outer[edge]) * sign - 10) <= 3, (inner, outer)
    assert all(abs(a - b) <= 1 for a, b in zip(ink(rimmed, (255, 0, 0)), inner, strict=True))
    assert rimmed.tobytes() != plain.tobytes()


@pytest.mark.parametrize(("words", "font"), [("ooooooooo", "latin"), ("国国国国国国国", "chinese")])
def test_a_curve_bends_the_line_about_the_middle_of_its_baseline(words: str, font: str) -> None:
    """An arch has its middle where the straight line has it and its ends lower by the height of the arc."""
    line = text(text=words, font=font, size=3)
    straight, arch, smile = (
        printed(layout({**line, "curve": curve}, background="#ffffff")).convert("L")
        for curve in (0, 120, -120)
    )

    def lowest(image: Image.Image, left: int, right: int) -> int:
        box = ImageChops.invert(image).crop((left, 0, right, image.height)).getbbox()
        assert box is not None
        return box[3]

    middle = (170, 190)
    base = lowest(straight, *middle)
    assert abs(lowest(arch, *middle) - base) <= 3
    assert abs(lowest(smile, *middle) - base) <= 3
    width = sum(fonts.advances(words, font)) * 3 / 25.4 * 300
    height = width / 2.0944 * (1 - 0.5)  # radius times (1 - cos 60°)
    ends = [ink(image, (0, 0, 0)) for image in (straight, arch, smile)]
    assert abs(ends[1][3] - ends[0][3] - height) < 16  # the last letters are turned by nearly 60 degrees
    assert abs(ends[0][1] - ends[2][1] - height) < 16


def test_a_curved_text_turns_with_its_rotation() -> None:
    line = text(text="国国国国国", font="chinese", size=3, curve=90)
    up = printed(layout(line, background="#ffffff")).convert("L")
    down = printed(layout({**line, "rotation": 180}, background="#ffffff")).convert("L")
    # the trim's centre (180, 330) is the item's: a half turn of the whole picture is a half turn of the item
    difference = ImageStat.Stat(ImageChops.difference(up.rotate(180), down))
    assert difference.mean[0] < 0.5
    assert difference.mean[0] < ImageStat.Stat(ImageChops.difference(up, down)).mean[0] / 4


def test_a_small_curve_is_nearly_a_straight_line() -> None:
    straight, bent = (printed(layout(text(text="Hi 你好", size=4, curve=curve))) for curve in (0, 0.5))
    assert straight.tobytes() != bent.tobytes()
    assert max(ImageStat.Stat(ImageChops.difference(straight, bent)).mean) < 0.5


# --- Stickers ----------------------------------------------------------------------------------------------------------
def test_a_sticker_is_as_large_as_it_says_and_turns_clockwise() -> None:
    """12.7 mm are 150 pixels about (180, 330)."""
    tall = stickers.catalogue()["heart"].aspect * 150
    image = printed(layout(sticker()))
    box = ImageChops.difference(image, Image.new("RGB", image.size, GREY)).getbbox()
    assert box is not None
    for found, wanted in zip(box, (105, 330 - tall / 2, 255, 330 + tall / 2), strict=True):
        assert abs(found - wanted) <= 1.5, box
    turned = printed(layout(sticker(rotation=180)))
    assert (
        max(ImageStat.Stat(ImageChops.difference(turned, ImageChops.offset(image.rotate(180), 0, 0))).mean)
        < 1
    )
    # the heart's notch is at the top: there the background shows between the two halves of the rim's upper edge
    assert image.getpixel((180, round(330 - tall / 2) + 2)) == GREY
    assert turned.getpixel((180, round(330 - tall / 2) + 4)) != GREY


def test_texts_and_stickers_draw_in_the_order_of_the_list() -> None:
    square = text(text="■", font="chinese", size=6, color="#00ff00")
    above, below = printed(layout(sticker(), square)), printed(layout(square, sticker()))
    assert above.getpixel((180, 330)) == (0, 255, 0)
    assert below.getpixel((180, 330)) != (0, 255, 0)
    assert printed(layout(sticker(), photo())).getpixel((180, 330)) == below.getpixel(
        (180, 330)
    )  # above photos


@pytest.mark.parametrize("slug", stickers.catalogue())
def test_every_sticker_is_made_of_polygons_inside_its_box(slug: str) -> None:
    found = stickers.catalogue()[slug]
    assert found.name_en
    assert found.name_zh
    assert len(found.layers) >= 3
    points = [point for layer in found.layers for point in layer.points]
    assert all(0 <= x <= 1 and 0 <= y <= found.aspect + 0.002 for x, y in points)
    assert all(len(layer.points) >= 3 and len(layer.color) == 7 for layer in found.layers)
    assert max(x for x, _y in points) - min(x for x, _y in points) > 0.99
    image = printed(layout(sticker(sticker=slug)))
    assert len(image.getcolors(1 << 20)) > 20


def test_a_sticker_beside_the_case_draws_nothing() -> None:
    assert printed(layout(sticker(cx=500))).getcolors() == [(360 * 660, GREY)]


# --- Both scales -------------------------------------------------------------------------------------------------------
def test_the_preview_shows_what_is_printed_with_all_of_it() -> None:
    design = layout(
        photo(cx=36, cy=80, width=60, filter="warm", contrast=20, crop={"x": 0.1, "y": 0.2, "w": 0.7, "h": 0.6}, rotation=8),
        sticker(sticker="cat", cx=20, cy=50, width=24, rotation=-15),
        sticker(sticker="rainbow", cx=55, cy=120, width=30),
        text(text="Summer 夏天", cx=36, cy=60, size=9, curve=100, outline="#ffffff", color="#e11d48"),
        text(text="2026", font="chinese", cx=36, cy=138, size=7, curve=-40, rotation=10, outline="#000000"),
        background="#ff8fc0", background2="#3a2f8f",
    )  # fmt: skip
    print_file = printed(design, SHELL)
    raw = rendering.render_preview(design, SHELL, None, lambda _photo: QUARTERS, 400, "PNG")
    preview = Image.open(io.BytesIO(raw))
    edge = SHELL.bleed_mm * rendering.PRINT_SCALE
    trim = (edge, edge, print_file.width - edge, print_file.height - edge)
    expected = print_file.resize(preview.size, Image.Resampling.LANCZOS, box=trim)
    mask = preview.getchannel("A").point([0] * 255 + [255])
    difference = ImageStat.Stat(ImageChops.difference(expected, preview.convert("RGB")), mask).mean
    assert max(difference) < 2, difference
    again = rendering.render_preview(design, SHELL, None, lambda _photo: QUARTERS, 400, "PNG")
    assert again == raw

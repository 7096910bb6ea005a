"""The picture that goes with a link to a shared design: the case, tilted, on a coloured ground, 1200 x 630 pixels.

Lives here: pixel work of that one picture (the size that Open Graph and Twitter ask for). Not here: drawing the case.
Guarantees: pure and deterministic.
"""

from __future__ import annotations

import io

from PIL import Image, ImageFilter

from catalog.services import fonts, shapes

SIZE = (1200, 630)
_GROUND, _INK = (255, 207, 36), (33, 20, 58)
_CYAN, _MAGENTA, _PAPER = (0, 180, 216), (239, 43, 127), (255, 253, 249)
_CASE_HEIGHT, _TILT = 560, 9  # pixels, degrees
_NAME, _NAME_EM = "pimpshop", 104


def draw(case: bytes) -> bytes:
    """The card as PNG. `case`: a PNG of the case, transparent around it."""
    card = Image.new("RGB", SIZE, _GROUND)
    for centre, radius, colour in (
        ((1130, 90), 230, _MAGENTA),
        ((640, 640), 300, _CYAN),
        ((70, 20), 150, _PAPER),
    ):
        disc = shapes.ellipse((2 * radius, 2 * radius))
        card.paste(colour, (centre[0] - radius, centre[1] - radius), disc)
    _sign(card)
    _put(card, _tilted(case), (850, SIZE[1] // 2))
    out = io.BytesIO()
    card.save(out, "PNG", optimize=True)
    return out.getvalue()


def _sign(card: Image.Image) -> None:
    """The shop's name and its three dots."""
    mask = fonts.draw_line(_NAME, fonts.LATIN, _NAME_EM)
    card.paste(_INK, (330 - mask.width // 2, 290 - mask.height // 2), mask)
    for number, colour in enumerate((_CYAN, _MAGENTA, _PAPER)):
        disc = shapes.ellipse((44, 44))
        left, top = 130 + number * 54, 400
        card.paste(_INK, (left - 5, top - 5), shapes.ellipse((54, 54)))
        card.paste(colour, (left, top), disc)


def _tilted(case: bytes) -> Image.Image:
    with Image.open(io.BytesIO(case)) as opened:
        picture = opened.convert("RGBA")
    width = max(1, round(picture.width * _CASE_HEIGHT / picture.height))
    picture = picture.resize((2 * width, 2 * _CASE_HEIGHT), Image.Resampling.LANCZOS)
    edged = Image.new("RGBA", (picture.width + 32, picture.height + 32), (0, 0, 0, 0))
    rim = picture.getchannel("A").resize((picture.width + 24, picture.height + 24))
    edged.paste(Image.new("RGBA", rim.size, (*_INK, 255)), (4, 4), rim)
    edged.alpha_composite(picture, (16, 16))
    turned = edged.rotate(-_TILT, Image.Resampling.BICUBIC, expand=True)
    return turned.reduce(2)


def _put(card: Image.Image, picture: Image.Image, centre: tuple[int, int]) -> None:
    """With a soft shadow below it."""
    left, top = centre[0] - picture.width // 2, centre[1] - picture.height // 2
    shadow = Image.new("L", card.size, 0)
    shadow.paste(picture.getchannel("A").point(lambda alpha: alpha // 2), (left + 10, top + 18))
    card.paste(_INK, (0, 0), shadow.filter(ImageFilter.GaussianBlur(14)))
    card.paste(picture, (left, top), picture)

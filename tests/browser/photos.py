"""Photos as phones take them: a landscape with sky, sun and meadow, stored lying down with EXIF orientation 6."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw, ImageFilter

from tests.support import images

SKY, SUN, MEADOW = (60, 130, 215), (255, 214, 60), (46, 140, 52)


def scene(width: int = 1500, height: int = 2000) -> Image.Image:
    """Upright: sky above, a sun at the upper right, meadow with flowers below; some noise, as sensors make it."""
    picture = Image.new("RGB", (width, height), SKY)
    draw = ImageDraw.Draw(picture)
    draw.polygon(
        [
            (0, height * 0.62),
            (width * 0.4, height * 0.5),
            (width, height * 0.6),
            (width, height),
            (0, height),
        ],
        fill=MEADOW,
    )
    radius = width // 8
    centre = (int(width * 0.72), int(height * 0.3))
    draw.ellipse((centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius), fill=SUN)
    dice = random.Random(6)
    for _ in range(160):
        x, y = dice.randrange(width), dice.randrange(int(height * 0.7), height)
        draw.ellipse((x, y, x + 14, y + 14), fill=dice.choice([(250, 250, 250), (240, 90, 140), SUN]))
    noise = Image.effect_noise((width, height), 14).convert("RGB")
    return Image.blend(picture.filter(ImageFilter.SMOOTH), noise, 0.06)


def from_a_phone(width: int = 1500, height: int = 2000) -> bytes:
    """The scene as a JPEG file whose pixels lie on their side: a viewer has to heed orientation 6."""
    lying = scene(width, height).transpose(Image.Transpose.ROTATE_90)
    out = io.BytesIO()
    lying.save(out, "JPEG", quality=88, exif=images.exif(6).tobytes())
    return out.getvalue()


def is_upright(data: bytes) -> bool:
    """Whether a printed picture has the sky above and the meadow below, at its left side (beside camera, sun, words)."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = picture.size

    def colour_at(level: float) -> tuple[int, ...]:
        x, y, half = width // 5, int(height * level), width // 16
        patch = picture.crop((x - half, y - half, x + half, y + half)).resize((1, 1), Image.Resampling.BOX)
        return tuple(patch.getpixel((0, 0)))  # type: ignore[arg-type]

    return images.near(colour_at(0.375), SKY, 40) and images.near(colour_at(0.66), MEADOW, 40)

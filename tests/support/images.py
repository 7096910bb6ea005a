"""Pictures for tests, made on the spot: four-coloured photos in every format and orientation, and hostile files."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

RED, BLUE, GREEN, YELLOW = (230, 20, 20), (20, 20, 230), (20, 180, 20), (230, 230, 20)
CORNERS = (RED, BLUE, GREEN, YELLOW)  # top left, top right, bottom left, bottom right

# How an upright picture lies in a file of that EXIF orientation: the opposite of what a viewer does.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(width: int = 320, height: int = 200) -> Image.Image:
    """An upright picture with a colour of its own in each quarter."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height // 2))
    image.paste(GREEN, (0, height // 2, width // 2, height))
    image.paste(YELLOW, (width // 2, height // 2, width, height))
    return image


def exif(orientation: int) -> Image.Exif:
    """EXIF with an orientation, a camera and a place."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "SecretCamera"
    block.get_ifd(0x8825)[1] = "N"
    return block


def encode(image: Image.Image, image_format: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file; `options` are Pillow's."""
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def photo(width: int = 320, height: int = 200, orientation: int = 1, image_format: str = "JPEG") -> bytes:
    """The four-coloured picture as a camera of that orientation stores it. HEIC: turned by the container and by EXIF."""
    image = quarters(width, height)
    if orientation in _STORED:
        image = image.transpose(_STORED[orientation])
    options: dict[str, object] = {"exif": exif(orientation).tobytes(), "quality": 95}
    return encode(image, "HEIF" if image_format == "HEIC" else image_format, **options)


def heic_without_container_turn(orientation: int) -> bytes:
    """A HEIC whose EXIF alone knows how it was held, as some converters write it."""
    image = quarters().transpose(_STORED[orientation])
    return encode(image, "HEIF", exif=exif(orientation), quality=95)


def corners_of(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    """The colours an eighth of a side away from the four corners, in the order of `CORNERS`."""
    rgb = image.convert("RGB")
    x, y = rgb.width // 8, rgb.height // 8
    right, bottom = rgb.width - 1 - x, rgb.height - 1 - y
    return tuple(rgb.getpixel(at) for at in ((x, y), (right, y), (x, bottom), (right, bottom)))


def near(one: tuple[int, ...], other: tuple[int, ...], tolerance: int = 12) -> bool:
    """Whether two colours are the same but for compression."""
    return len(one) == len(other) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """A base64 data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes whose header promises far more pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 3_000_000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def jpeg_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small JPEG whose frame header has been given a huge size."""
    data = bytearray(encode(quarters(16, 16)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_bomb(width: int = 16_383, height: int = 16_383) -> bytes:
    """A WebP (VP8X) whose canvas has been given a huge size."""
    frames = [quarters(32, 32), quarters(32, 32).transpose(Image.Transpose.ROTATE_180)]
    data = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def many_scans_jpeg(scans: int = 2000) -> bytes:
    """A JPEG with thousands of scans, each of which costs a pass over all pixels."""
    data = encode(quarters(64, 64), progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * scans + data[-2:]

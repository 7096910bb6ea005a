"""Taking in a customer's picture: safe decoding, turned upright, cleaned, re-encoded.

Lives here: the way from untrusted bytes (an upload or a base64 data URL) to a `Picture` of ours, and its reduced working
copy. Not here: where the bytes are stored, who owns them (`designs`), how they are printed (`rendering`).

Guarantees: plain functions, no database, no outside calls. Nothing of the original file survives but its pixels: no EXIF,
GPS, XMP, colour profile, trailing bytes. Sizes are judged from the header, before any pixel is decoded.
"""

import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass
from typing import IO

import pillow_heif
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageCms

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_DATA_URL_CHARS = 28 * 1024 * 1024
# An honest progressive JPEG has about ten scans; every scan costs a pass over all pixels, so thousands are an attack.
MAX_JPEG_SCANS = 64
MAX_PROFILE_BYTES = 4 * 1024 * 1024
JPEG_QUALITY = 92

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]{1,20}(?:;[a-z0-9=._-]{1,40})*;base64,", re.IGNORECASE)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_EXIF_ORIENTATION = 0x0112

_MESSAGES = {
    "empty": _("This file is empty. Please choose a photo."),
    "too_large": _("This file is too large. Photos may have up to 20 MB."),
    "too_many_pixels": _("This photo has too many pixels. Up to 50 megapixels are possible."),
    "too_small": _("This photo is too small to be printed. Please choose a larger one."),
    "unsupported_format": _("This file is not a photo that we can read. Please use JPEG, PNG, WebP or HEIC."),
    "damaged": _("This photo is damaged or incomplete. Please choose another one."),
    "bad_data_url": _("The picture was not sent correctly. Please try again."),
}


class PictureRefused(Exception):
    """The bytes are no picture that we take; `code` is stable, `message` is translatable text for the customer."""

    def __init__(self, code: str, message: Promise | str | None = None) -> None:
        self.code = code
        self.message = message or _MESSAGES[code]
        super().__init__(code)

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in our own encoding: sRGB, upright, without metadata. Width and height in pixels as shown."""

    data: bytes
    format: str  # JPEG (opaque) or PNG (with transparency)
    width: int
    height: int
    sha256: str  # of `data`, hexadecimal
    original_format: str  # JPEG, PNG, WEBP or HEIC

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def content_type(self) -> str:
        """The media type of `data`."""
        return "image/jpeg" if self.format == "JPEG" else "image/png"

    @property
    def extension(self) -> str:
        """The file ending of `data`, with its dot."""
        return ".jpg" if self.format == "JPEG" else ".png"


def read_picture(source: bytes | IO[bytes], *, min_side: int = 1) -> Picture:
    """Decode untrusted bytes or a file opened for reading, and give back a clean, upright picture.

    The file's name and declared type are ignored; of an animation the first frame is taken. `min_side` is in pixels.
    Raises `PictureRefused`: empty, too_large, unsupported_format, too_many_pixels, too_small, damaged.
    """
    data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if not data:
        raise PictureRefused("empty")
    if len(data) > MAX_BYTES:
        raise PictureRefused("too_large")
    original = _sniff(data)
    try:
        with _open(data, original) as image:
            if min(image.size) < min_side:
                raise PictureRefused("too_small")
            turn = _UPRIGHT.get(_orientation(image, data, original))
            image.load()
            clean = _to_srgb(image)
        if turn is not None:
            clean = clean.transpose(turn)
        return _encode(clean, original, chroma="4:2:0" if original in ("JPEG", "HEIC") else "4:4:4")
    except PictureRefused:
        raise
    # Decoders answer broken input with whatever was at hand; every one of these means that the file is at fault.
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, RuntimeError,
            OverflowError, ZeroDivisionError, MemoryError, Image.DecompressionBombError) as error:  # fmt: skip
        raise PictureRefused("damaged") from error


def read_data_url(text: str) -> bytes:
    """The bytes of a base64 data URL of an image (`data:image/…;base64,…`), decoded once; at most 28 MB of text.

    Raises `PictureRefused`: too_large, bad_data_url, empty. What the bytes are is for `read_picture` to find out.
    """
    if len(text) > MAX_DATA_URL_CHARS:
        raise PictureRefused("too_large")
    head = _DATA_URL.match(text)
    if head is None:
        raise PictureRefused("bad_data_url")
    try:
        data = base64.b64decode(text[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureRefused("bad_data_url") from error
    if not data:
        raise PictureRefused("empty")
    return data


def make_working_copy(picture: Picture, max_px: int = 1600) -> Picture:
    """The picture reduced so that its longer side has at most `max_px` pixels: what previews are drawn from."""
    if max(picture.size) <= max_px:
        return picture
    with Image.open(io.BytesIO(picture.data), formats=[picture.format]) as image:
        image.draft("RGB", (max_px, max_px))
        image.thumbnail((max_px, max_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return _encode(image, picture.original_format, chroma="4:2:0")


def as_small_jpeg(picture: Picture, max_px: int) -> bytes:
    """A JPEG of the picture for somebody who only looks at it: at most `max_px` on its longer side, on white."""
    with Image.open(io.BytesIO(picture.data), formats=[picture.format]) as image:
        image.thumbnail((max_px, max_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
        shown = image.convert("RGBA")
    white = Image.new("RGB", shown.size, "white")
    white.paste(shown, mask=shown)
    out = io.BytesIO()
    white.save(out, "JPEG", quality=80)
    return out.getvalue()


def _sniff(data: bytes) -> str:
    """The format by the first bytes. SVG, GIF, PDF and everything else that is not one of the four is refused."""
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIC"
    raise PictureRefused("unsupported_format")


def _open(data: bytes, original: str) -> Image.Image:
    """Open without decoding, and refuse by the header what would be too much to decode."""
    if original == "WEBP":
        _check_pixels(_webp_size(data))  # Pillow allocates the canvas of a WebP as soon as it opens it
    if original == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise PictureRefused("damaged")
    try:
        image = Image.open(io.BytesIO(data), formats=["HEIF" if original == "HEIC" else original])
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:  # Pillow's limits are above ours
        raise PictureRefused("too_many_pixels") from error
    _check_pixels(image.size)
    return image


def _check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise PictureRefused("too_many_pixels")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Canvas size in pixels from the first chunk of a WebP file (RFC 9649, 2.5 to 2.7)."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise PictureRefused("damaged")
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise PictureRefused("damaged")


def _orientation(image: Image.Image, data: bytes, original: str) -> int:
    """The EXIF orientation (1 to 8) that the decoder leaves to us; 1 when it is absent, odd or already applied.

    HEIC: the container's own rotation and mirroring (`irot`, `imir`) are applied by the decoder, and EXIF repeats them;
    only a file without either has nothing but EXIF.
    """
    if original == "HEIC":
        turned = any(mark in _heif_meta(data) for mark in (b"irot", b"imir"))
        return 1 if turned else image.info.get("original_orientation") or 1
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        # A broken EXIF block raises all sorts of things. It is no reason to refuse a photo, and it is dropped anyway.
        return 1


def _heif_meta(data: bytes) -> bytes:
    """The bytes of the top-level `meta` box (ISO/IEC 14496-12, 4.2), where a HEIF image declares its properties."""
    at = 0
    while at + 16 <= len(data):
        length, head = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if data[at + 4 : at + 8] == b"meta":
            return data[at + head : at + length] if length else data[at + head :]
        if length < head:
            break
        at += length
    return b""


def _to_srgb(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where something really is transparent, eight bits, in sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits of grey: Pillow's own conversion clips instead of scaling
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    if profile and len(profile) <= MAX_PROFILE_BYTES:
        image = _apply_profile(image, profile)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert from the file's colour profile to sRGB; a profile that is broken or of another colour space is ignored."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in (source.profile.profile_description or ""):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode=mode,
        )
        return converted or image  # never None: it is when converting in place
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _encode(image: Image.Image, original: str, *, chroma: str) -> Picture:
    """Encode afresh: JPEG, or PNG for transparency. Nothing of `image.info` goes along."""
    out = io.BytesIO()
    image.info = {}
    if image.mode == "RGBA":
        image.save(out, "PNG", compress_level=2)
    else:
        image.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=chroma)
    data = out.getvalue()
    kind = "PNG" if image.mode == "RGBA" else "JPEG"
    return Picture(data, kind, image.width, image.height, hashlib.sha256(data).hexdigest(), original)


__all__ = ["Picture", "PictureRefused", "as_small_jpeg", "make_working_copy", "read_data_url", "read_picture"]


def small(png: IO[bytes], width_px: int) -> bytes:
    """A picture of ours as WebP, at most `width_px` wide, transparent where it was. Raises OSError when it is none."""
    return _as_webp(png, (width_px, 4 * width_px))


def for_a_page(file: IO[bytes], longest_px: int) -> bytes:
    """A working copy as WebP, its longer side at most `longest_px`: a fraction of the bytes. Raises OSError when it is none."""
    return _as_webp(file, (longest_px, longest_px))


def _as_webp(file: IO[bytes], box: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    with Image.open(file, formats=["PNG", "JPEG"]) as image:
        image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        image.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()

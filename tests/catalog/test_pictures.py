"""Intake of pictures: every format and orientation comes out upright and clean, every bad file is refused with a reason."""

from __future__ import annotations

import hashlib
import io
import zlib

import pytest
from django.utils import translation
from PIL import Image, ImageCms, ImageFile

from catalog.services import pictures
from tests.support import images


def opened(picture: pictures.Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def refusal(source: bytes) -> str:
    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_picture(source)
    return caught.value.code


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIC"])
def test_every_orientation_comes_out_upright_and_without_metadata(
    image_format: str, orientation: int
) -> None:
    raw = images.photo(320, 200, orientation, image_format)
    assert b"SecretCamera" in raw or image_format == "PNG"

    picture = pictures.read_picture(raw)

    assert (picture.format, picture.width, picture.height) == ("JPEG", 320, 200)
    assert picture.original_format == image_format
    image = opened(picture)
    assert image.size == picture.size
    found = images.corners_of(image)
    assert all(images.near(*pair) for pair in zip(found, images.CORNERS, strict=True)), found
    assert b"SecretCamera" not in picture.data
    assert not dict(image.getexif())
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_heic_samples_are_turned_by_their_container(orientation: int) -> None:
    """Else the test above would not notice an orientation that is applied twice."""
    raw = images.photo(320, 200, orientation, "HEIC")
    assert b"irot" in raw
    assert Image.open(io.BytesIO(raw)).size == (320, 200)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_heic_with_nothing_but_exif_is_turned_by_exif(orientation: int) -> None:
    raw = images.heic_without_container_turn(orientation)
    assert b"irot" not in raw

    found = images.corners_of(opened(pictures.read_picture(raw)))

    assert all(images.near(*pair) for pair in zip(found, images.CORNERS, strict=True)), found


def test_hash_is_of_the_stored_bytes_and_the_same_every_time() -> None:
    raw = images.photo()
    first, second = pictures.read_picture(raw), pictures.read_picture(io.BytesIO(raw))
    assert first == second
    assert first.sha256 == hashlib.sha256(first.data).hexdigest()
    assert (first.content_type, first.extension) == ("image/jpeg", ".jpg")


@pytest.mark.parametrize(
    "bomb", [images.png_bomb(), images.jpeg_bomb(), images.webp_bomb()], ids=["png", "jpeg", "webp"]
)
def test_a_bomb_is_refused_by_its_header(bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*args: object, **kwargs: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    assert refusal(bomb) == "too_many_pixels"


def test_a_webp_bomb_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a WebP allocates its whole canvas."""

    def opened_it(*args: object, **kwargs: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Image, "open", opened_it)
    assert refusal(images.webp_bomb()) == "too_many_pixels"


def test_just_over_fifty_megapixels_is_too_many() -> None:
    assert refusal(images.png_bomb(10_000, 5_001)) == "too_many_pixels"
    assert refusal(images.png_bomb(10_000, 5_000)) == "damaged"  # allowed in, and then found to end too early


def test_heic_bomb_is_refused() -> None:
    raw = images.photo(64, 64, 1, "HEIC")
    at = raw.index(b"ispe") + 8
    huge = raw[:at] + (60_000).to_bytes(4, "big") * 2 + raw[at + 8 :]
    assert refusal(huge) in {"too_many_pixels", "damaged"}


JPEG = images.encode(images.quarters())
PNG = images.encode(images.quarters(), "PNG")
WEBP = images.encode(images.quarters(), "WEBP")
HEIC = images.photo(image_format="HEIC")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "empty"),
        (b"\0", "unsupported_format"),
        (b"hello", "unsupported_format"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"RIFF\0\0\0\0WEBP", "damaged"),
        (b"\0\0\0\x18ftypheic", "damaged"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (PNG[: len(PNG) // 2], "damaged"),
        (WEBP[: len(WEBP) // 2], "damaged"),
        (HEIC[: len(HEIC) // 2], "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>", "unsupported_format"),
        (b"<?xml version='1.0'?><svg/>", "unsupported_format"),
        (b"%PDF-1.7\n" + JPEG, "unsupported_format"),
        (images.encode(images.quarters(), "GIF"), "unsupported_format"),
        (images.encode(images.quarters(), "TIFF"), "unsupported_format"),
        (images.encode(images.quarters(), "BMP"), "unsupported_format"),
        (images.png_bomb(0, 10), "damaged"),
        (images.many_scans_jpeg(), "damaged"),
        (JPEG + b"\0" * pictures.MAX_BYTES, "too_large"),
    ],
)  # fmt: skip
def test_bad_files_are_refused(source: bytes, code: str) -> None:
    assert refusal(source) == code


def test_a_file_is_read_no_further_than_the_limit() -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked = size
            return b"\xff" * size

    source = Endless()
    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_picture(source)
    assert caught.value.code == "too_large"
    assert source.asked == pictures.MAX_BYTES + 1


@pytest.mark.parametrize(
    ("tail", "start"),
    [(b"<script>alert(1)</script>", JPEG), (b"PK\x03\x04 archive", PNG), (b"<?php evil ?>", WEBP)],
)
def test_what_hangs_on_to_a_picture_is_left_behind(tail: bytes, start: bytes) -> None:
    assert tail not in pictures.read_picture(start + tail).data


def test_one_pixel_is_a_picture_unless_the_caller_wants_more() -> None:
    dot = images.encode(Image.new("RGB", (1, 1), images.RED), "PNG")
    assert pictures.read_picture(dot).size == (1, 1)
    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_picture(dot, min_side=2)
    assert caught.value.code == "too_small"


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (images.RED, images.BLUE)]
    for image_format in ("WEBP", "PNG"):
        raw = images.encode(frames[0], image_format, save_all=True, append_images=frames[1:])
        assert images.near(opened(pictures.read_picture(raw)).getpixel((20, 20)), images.RED)


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr"])
def test_other_colour_models_become_rgb(mode: str) -> None:
    grey = Image.new("RGB", (40, 40), "white").convert(mode)
    picture = pictures.read_picture(images.encode(grey, "PNG" if mode == "1" else "JPEG"))
    image = opened(picture)
    assert (picture.format, image.mode) == ("JPEG", "RGB")
    assert images.near(image.getpixel((20, 20)), (255, 255, 255), 3)


def test_cmyk_keeps_its_colours() -> None:
    raw = images.encode(images.quarters().convert("CMYK"), quality=95)
    found = images.corners_of(opened(pictures.read_picture(raw)))
    assert all(images.near(*pair) for pair in zip(found, images.CORNERS, strict=True)), found


def test_sixteen_bits_of_grey_are_scaled_not_clipped() -> None:
    image = Image.new("I;16", (40, 40), 0x8000)
    middle = opened(pictures.read_picture(images.encode(image, "PNG"))).getpixel((20, 20))
    assert images.near(middle, (128, 128, 128), 2)


def test_palette_with_transparency_keeps_it() -> None:
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([*images.RED, *images.BLUE])
    palette.paste(1, (20, 0, 40, 40))
    picture = pictures.read_picture(images.encode(palette, "PNG", transparency=1))
    image = opened(picture)
    assert (picture.format, picture.extension, image.mode) == ("PNG", ".png", "RGBA")
    assert image.getpixel((5, 5)) == (*images.RED, 255)
    assert image.getpixel((30, 5))[3] == 0


def test_alpha_that_hides_nothing_is_dropped() -> None:
    assert pictures.read_picture(images.encode(images.quarters().convert("RGBA"), "PNG")).format == "JPEG"


def test_a_colour_profile_is_applied_and_left_behind() -> None:
    # A profile with red and blue exchanged shows whether it was used at all.
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = _swap_channels(srgb)
    raw = images.encode(Image.new("RGB", (40, 40), (255, 0, 0)), "PNG", icc_profile=swapped)
    image = opened(pictures.read_picture(raw))
    assert "icc_profile" not in image.info
    assert images.near(image.getpixel((20, 20)), (0, 0, 255), 6)


def _swap_channels(profile: bytes) -> bytes:
    """The same profile with the primaries of red and blue exchanged, under another name."""
    return (
        profile.replace(b"rXYZ", b"tmp1").replace(b"bXYZ", b"rXYZ").replace(b"tmp1", b"bXYZ")
        .replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    )  # fmt: skip


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_broken_profile_or_exif_is_no_reason_to_refuse(profile: bytes) -> None:
    raw = images.encode(images.quarters(), icc_profile=profile, exif=b"Exif\0\0nonsense")
    assert pictures.read_picture(raw).size == (320, 200)


def test_working_copy_is_reduced_and_looks_the_same() -> None:
    picture = pictures.read_picture(images.photo(3000, 2000))
    small = pictures.make_working_copy(picture, 1600)
    assert small.size == (1600, 1067)
    assert images.near(opened(small).getpixel((200, 150)), images.RED)
    assert pictures.make_working_copy(small, 1600) is small


def test_working_copy_keeps_transparency() -> None:
    glass = Image.new("RGBA", (800, 400), (*images.GREEN, 128))
    small = pictures.make_working_copy(pictures.read_picture(images.encode(glass, "PNG")), 400)
    assert (small.format, small.size) == ("PNG", (400, 200))
    assert images.near(opened(small).getpixel((10, 10)), (*images.GREEN, 128), 1)


def test_data_url_is_decoded() -> None:
    assert pictures.read_data_url(images.data_url(PNG)) == PNG
    assert pictures.read_data_url("data:image/JPEG;charset=utf-8;base64,/9j/") == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_data_url"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png;base64,!!!!", "bad_data_url"),
        ("data:image/png;base64,abc", "bad_data_url"),
        ("data:image/png,rawtext", "bad_data_url"),
        ("data:text/html;base64,PGI+", "bad_data_url"),
        ("https://example.com/a.png", "bad_data_url"),
        ("data:image/png;base64,\0AAA", "bad_data_url"),
    ],
)  # fmt: skip
def test_bad_data_urls_are_refused(text: str, code: str) -> None:
    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_data_url(text)
    assert caught.value.code == code


def test_a_data_url_that_is_too_long_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_DATA_URL_CHARS", 30)
    pictures.read_data_url("data:image/png;base64,AAAAAAAA")
    with pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_data_url("data:image/png;base64,AAAAAAAAA")
    assert caught.value.code == "too_large"


def test_the_message_is_a_sentence_for_the_customer() -> None:
    with translation.override("en"), pytest.raises(pictures.PictureRefused) as caught:
        pictures.read_picture(zlib.compress(b"x"))
    assert str(caught.value) == (
        "This file is not a photo that we can read. Please use JPEG, PNG, WebP or HEIC."
    )

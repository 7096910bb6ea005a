"""Designs through the real renderer: saved, previewed, accepted, copied; other owners find nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
import time_machine
from PIL import Image

from catalog import selectors
from catalog.models import Design, Photo
from catalog.services import designs, drawing, photos, pictures
from pimpshop.core import errors
from tests import factories as make
from tests.support import images
from tests.support.threads import together

pytestmark = pytest.mark.django_db
ME = "session:me"


def layout(photo: Photo | None = None, *, width: float = 200.0, **more: object) -> dict[str, object]:
    """A layout with one photo over the middle of the case."""
    items = (
        []
        if photo is None
        else [{"kind": "photo", "photo": str(photo.pk), "cx": 36.62, "cy": 74.63, "width": width}]
    )
    return {"version": 1, "template": None, "background": "#ffffff", "items": items, **more}


def add(owner: str = ME, width: int = 1200, height: int = 800, **more: object) -> Photo:
    return designs.add_photo(owner=owner, upload=images.photo(width, height, **more))


def test_a_photo_is_stored_upright_without_exif_and_hashed() -> None:
    photo = add(orientation=6)
    assert (photo.width, photo.height, photo.extension, photo.original_format) == (1200, 800, "jpg", "JPEG")
    assert photo.file.name == f"photos/{photo.pk}.jpg"
    assert photo.working_copy.name == f"photos/{photo.pk}.small.jpg"
    with photo.file.open("rb") as file:
        data = file.read()
    assert photo.bytes == len(data)
    assert photo.sha256 == designs._sha256(data)
    with Image.open(io.BytesIO(data)) as image:
        assert dict(image.getexif()) == {}
        assert all(map(images.near, images.corners_of(image), images.CORNERS))


def test_a_large_photo_gets_a_small_copy() -> None:
    photo = add(width=2400, height=1600)
    with Image.open(photo.working_copy.open("rb")) as image:
        assert image.size == (1600, 1067)


@pytest.mark.parametrize(
    ("data", "code", "status"),
    [
        (b"", "picture_empty", 400),
        (b"<svg/>", "picture_unsupported_format", 400),
        (images.photo(60, 200), "picture_too_small", 400),
        (images.png_bomb(), "picture_too_many_pixels", 413),
        (images.photo()[:500], "picture_damaged", 400),
        (b"\xff\xd8\xff" + b"0" * pictures.MAX_BYTES, "picture_too_large", 413),
    ],
    ids=["empty", "svg", "small", "bomb", "damaged", "large"],
)
def test_a_refused_picture_leaves_nothing(data: bytes, code: str, status: int) -> None:
    with pytest.raises(photos.PictureNotTaken) as caught:
        designs.add_photo(owner=ME, upload=data)
    assert (caught.value.code, caught.value.status) == (code, status)
    assert Photo.objects.count() == 0


def test_a_design_is_made_once_and_follows_the_shell() -> None:
    one, two = make.shell(), make.shell()
    design = designs.design_for(owner=ME, shell=one)
    assert design.layout == layout()
    assert designs.design_for(owner=ME, shell=one).pk == design.pk
    moved = designs.design_for(owner=ME, shell=two)
    assert (moved.pk, moved.shell) == (design.pk, two)
    assert designs.design_for(owner="session:other", shell=one).pk != design.pk
    assert Design.objects.filter(owner=ME).count() == 1


def test_a_good_layout_is_saved_without_warnings() -> None:
    photo = add()
    design = designs.design_for(owner=ME, shell=make.shell())
    saved = designs.save_layout(design=design, layout=layout(photo), accept_low_resolution=False)
    assert saved.warnings == []  # 1200 pixels on 200 mm are 152 dpi
    design.refresh_from_db()
    assert design.layout["items"] == [
        {
            "kind": "photo",
            "photo": str(photo.pk),
            "slot": 0,
            "cx": 36.62,
            "cy": 74.63,
            "width": 200.0,
            "rotation": 0.0,
        }
    ]
    assert (design.low_resolution, design.low_resolution_accepted_at) == (False, None)
    assert len(design.layout_hash) == 64
    assert design.layout_hash == saved.design.layout_hash


def test_low_resolution_is_warned_about_and_its_acceptance_recorded() -> None:
    photo = add()
    design = designs.design_for(owner=ME, shell=make.shell())
    saved = designs.save_layout(design=design, layout=layout(photo, width=210), accept_low_resolution=False)
    assert [(w.code, "145 dpi" in w.text) for w in saved.warnings] == [("low_resolution", True)]
    assert (design.low_resolution, design.low_resolution_accepted_at) == (True, None)
    first = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with time_machine.travel(first, tick=False):
        designs.save_layout(design=design, layout=layout(photo, width=210), accept_low_resolution=True)
    with time_machine.travel(first.replace(hour=13), tick=False):
        designs.save_layout(design=design, layout=layout(photo, width=210), accept_low_resolution=True)
        design.refresh_from_db()
        assert design.low_resolution_accepted_at == first  # the same layout: the first word counts
        designs.save_layout(design=design, layout=layout(photo, width=220), accept_low_resolution=False)
    design.refresh_from_db()
    assert design.low_resolution_accepted_at is None  # another layout was never accepted


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"version": 2}, "layout_out_of_range"),
        ({"items": [{"kind": "video"}]}, "layout_bad_choice"),
        ({"surprise": 1}, "layout_unknown_key"),
        ({"template": "nope"}, "template_unknown"),
        (
            {"items": [{"kind": "text", "text": "😀", "cx": 1, "cy": 1, "size": 8}]},
            "layout_unsupported_character",
        ),
    ],
)
def test_a_bad_layout_changes_nothing(bad: dict[str, object], code: str) -> None:
    design = designs.design_for(owner=ME, shell=make.shell())
    before = design.layout_hash
    with pytest.raises(errors.ShopError) as caught:
        designs.save_layout(design=design, layout={**layout(), **bad}, accept_low_resolution=True)
    assert (caught.value.code, caught.value.status) == (code, 400)
    design.refresh_from_db()
    assert (design.layout, design.layout_hash) == (layout(), before)


def test_a_photo_in_a_place_that_the_template_has_not_is_refused() -> None:
    make.template(slug="single")
    item = {"kind": "photo", "photo": str(add().pk), "slot": 1, "cx": 1, "cy": 1, "width": 50}
    design = designs.design_for(owner=ME, shell=make.shell())
    with pytest.raises(drawing.LayoutNotTaken) as caught:
        designs.save_layout(
            design=design, layout=layout(template="single", items=[item]), accept_low_resolution=True
        )
    assert caught.value.code == "layout_bad_slot"


def test_the_photo_of_another_owner_is_not_found() -> None:
    theirs = add(owner="session:other")
    design = designs.design_for(owner=ME, shell=make.shell())
    with pytest.raises(errors.NotFound) as caught:
        designs.save_layout(design=design, layout=layout(theirs), accept_low_resolution=True)
    assert caught.value.status == 404
    design.refresh_from_db()
    assert design.layout == layout()
    # not even a row that says so could read it
    Design.objects.filter(pk=design.pk).update(layout=layout(theirs))
    design.refresh_from_db()
    for draw in (lambda: designs.preview(design=design, width_px=100), lambda: designs.freeze(design)):
        with pytest.raises(errors.NotFound):
            draw()


def test_the_preview_shows_the_photo_and_the_hole() -> None:
    design = designs.design_for(owner=ME, shell=make.shell())
    designs.save_layout(design=design, layout=layout(add(), width=230), accept_low_resolution=True)
    data = designs.preview(design=design, width_px=300, image_format="PNG")
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (300, 611))
        assert image.getpixel((80, 80))[3] == 0  # the camera hole
        assert images.near(image.getpixel((40, 500))[:3], images.GREEN)
        assert images.near(image.getpixel((260, 500))[:3], images.YELLOW)
    webp = designs.preview(design=design, width_px=300)
    with Image.open(io.BytesIO(webp)) as image:
        assert (image.format, image.size) == ("WEBP", (300, 611))
    assert len(webp) < len(data)


def test_another_template_lays_the_photos_out_anew_and_keeps_the_words() -> None:
    spec = {
        "slots": [{"x": 0, "y": 0, "w": 1, "h": 0.5}, {"x": 0, "y": 0.5, "w": 1, "h": 0.5}],
        "background": "#102030",
    }
    duo = make.template(slug="duo", spec=spec)
    photo = add()
    text = {"kind": "text", "text": "Hi", "cx": 30, "cy": 130, "size": 8}
    design = designs.design_for(owner=ME, shell=make.shell())
    designs.save_layout(
        design=design,
        layout=layout(items=[*layout(photo, width=220)["items"], text]),
        accept_low_resolution=True,
    )
    designs.set_template(design=design, template=duo)
    design.refresh_from_db()
    assert (design.template, design.layout["template"], design.layout["background"]) == (
        duo,
        "duo",
        "#102030",
    )
    assert [(item["kind"], item.get("slot")) for item in design.layout["items"]] == [
        ("photo", 0), ("photo", 1), ("text", None),
    ]  # fmt: skip
    assert design.layout["items"][2]["text"] == "Hi"
    assert design.low_resolution_accepted_at is None
    designs.set_template(design=design, template=None)
    design.refresh_from_db()
    assert [(item["kind"], item.get("slot")) for item in design.layout["items"]] == [
        ("photo", 0),
        ("text", None),
    ]
    assert design.template is None
    assert designs.texts_of(design) == "Hi"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_requests_at_once_make_one_design() -> None:
    shell = make.shell()
    found = together(20, lambda _n: designs.design_for(owner=ME, shell=shell).pk)
    assert set(found) == {Design.objects.get(owner=ME).pk}
    assert selectors.latest_design(ME).pk == found[0]

"""Freezing: what is ordered has the bytes that were hashed, for good, however many ask and whatever comes after."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from catalog.models import Design, Photo
from catalog.services import designs, drawing, pictures
from tests import factories as make
from tests.support import images
from tests.support.threads import together

pytestmark = pytest.mark.django_db
ME = "session:me"


def ready(shell=None, *, width: float = 200.0, accept: bool = False) -> Design:
    """A design with one photo that may be frozen."""
    photo = designs.add_photo(owner=ME, upload=images.photo(1200, 1800))
    item = {"kind": "photo", "photo": str(photo.pk), "cx": 36.62, "cy": 74.63, "width": width}
    design = designs.design_for(owner=ME, shell=shell or make.shell())
    whole = {"version": 1, "template": None, "background": "#ffffff", "items": [item]}
    return designs.save_layout(design=design, layout=whole, accept_low_resolution=accept).design


def files_of(design: Design) -> list[str]:
    folder = Path(settings.MEDIA_ROOT) / "designs"
    return sorted(path.name for path in folder.glob(f"{design.pk}*")) if folder.exists() else []


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def test_a_frozen_design_has_its_files_and_their_hashes() -> None:
    design = designs.freeze(ready())
    png, small = read(design.print_file.name), read(design.preview.name)
    assert design.frozen_at is not None
    assert design.print_sha256 == hashlib.sha256(png).hexdigest()
    assert design.preview_sha256 == hashlib.sha256(small).hexdigest()
    assert files_of(design) == [f"{design.pk}.preview.png", f"{design.pk}.print.png"]
    with Image.open(io.BytesIO(png)) as image:
        # 73.24 + 2 x 2 mm and 149.27 + 2 x 2 mm at 300 dpi
        assert (image.size, image.mode) == ((912, 1810), "RGB")
        assert [round(value) for value in image.info["dpi"]] == [300, 300]
        assert image.getpixel((250, 250)) != (255, 255, 255)  # ink runs on under the camera
        assert images.near(image.getpixel((60, 1700)), images.GREEN)
        assert images.near(image.getpixel((850, 1700)), images.YELLOW)
    with Image.open(io.BytesIO(small)) as image:
        assert (image.format, image.size) == ("PNG", (600, 1223))
    assert designs.verify_print(design)


def test_freezing_again_changes_nothing() -> None:
    design = designs.freeze(ready())
    before = Design.objects.filter(pk=design.pk).values().get()
    assert designs.freeze(design).print_sha256 == before["print_sha256"]
    assert Design.objects.filter(pk=design.pk).values().get() == before
    assert len(files_of(design)) == 2


def test_nothing_changes_a_frozen_design() -> None:
    design = designs.freeze(ready())
    before, png = Design.objects.filter(pk=design.pk).values().get(), read(design.print_file.name)
    other = make.shell()
    for change in (
        lambda: designs.save_layout(design=design, layout=design.layout, accept_low_resolution=True),
        lambda: designs.set_shell(design=design, shell=other),
        lambda: designs.set_template(design=design, template=make.template()),
    ):
        with pytest.raises(designs.DesignFrozen) as caught:
            change()
        assert caught.value.status == 409
    assert Design.objects.filter(pk=design.pk).values().get() == before
    assert read(design.print_file.name) == png
    # a preview of any size is the one that was ordered, even when the photo is gone
    Photo.objects.all().delete()
    design.refresh_from_db()
    assert designs.preview(design=design, width_px=64) == read(design.preview.name)


def test_going_on_after_the_order_works_on_a_copy() -> None:
    design = designs.freeze(ready())
    copy = designs.design_for(owner=ME, shell=design.shell)
    assert copy.pk != design.pk
    assert (copy.frozen_at, copy.print_sha256, copy.layout_hash) == (None, "", design.layout_hash)
    assert not copy.print_file
    assert designs.design_for(owner=ME, shell=design.shell).pk == copy.pk
    assert designs.editable_copy(design=copy).pk == copy.pk
    assert designs.freeze(copy).print_sha256 == design.print_sha256  # the same layout, the same bytes
    assert copy.print_file.name != design.print_file.name


def test_low_resolution_must_be_accepted_before() -> None:
    design = ready(width=300)
    with pytest.raises(designs.LowResolutionNotAccepted) as caught:
        designs.freeze(design)
    assert (caught.value.status, caught.value.code) == (409, "low_resolution")
    design.refresh_from_db()
    assert design.frozen_at is None
    assert files_of(design) == []
    designs.save_layout(design=design, layout=design.layout, accept_low_resolution=True)
    assert designs.freeze(design).frozen_at is not None


@pytest.mark.parametrize(
    "items", [[], [{"kind": "text", "text": "Hi", "cx": 10, "cy": 100, "size": 8, "color": "#ffffff"}]]
)
def test_a_blank_case_is_not_sold(items: list[dict[str, object]]) -> None:
    design = designs.design_for(owner=ME, shell=make.shell())
    blank = {"version": 1, "template": None, "background": "#ffffff", "items": items}
    designs.save_layout(design=design, layout=blank, accept_low_resolution=True)
    with pytest.raises(drawing.DesignEmpty):
        designs.freeze(design)
    assert files_of(design) == []


def test_a_file_that_was_changed_or_lost_is_noticed() -> None:
    design = designs.freeze(ready())
    name = design.print_file.name
    good = read(name)
    default_storage.delete(name)
    assert not designs.verify_print(design)
    default_storage.save(name, ContentFile(good[:-1] + b"x"))
    assert not designs.verify_print(design)
    default_storage.delete(name)
    default_storage.save(name, ContentFile(good))
    assert designs.verify_print(design)
    assert not designs.verify_print(make.design())


def test_a_layout_that_changes_while_it_is_drawn_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    design = ready()
    real, drawn = drawing.draw_print, []

    def meddling(row: Design) -> bytes:
        data = real(row)
        drawn.append(row.layout["items"][0]["width"])
        if len(drawn) == 1:
            layout = {**row.layout, "items": [{**row.layout["items"][0], "width": 190.0}]}
            designs.save_layout(
                design=Design.objects.get(pk=row.pk), layout=layout, accept_low_resolution=False
            )
        return data

    monkeypatch.setattr(drawing, "draw_print", meddling)
    frozen = designs.freeze(design)
    assert drawn == [200.0, 190.0]
    assert frozen.layout["items"][0]["width"] == 190.0
    assert designs.verify_print(frozen)
    assert len(files_of(frozen)) == 2  # nothing is left of the first drawing


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_four_at_once_freeze_once() -> None:
    design = ready()
    found = together(4, lambda _n: designs.freeze(Design.objects.get(pk=design.pk)))
    assert len({(row.frozen_at, row.print_file.name, row.print_sha256) for row in found}) == 1
    assert len(files_of(design)) == 2
    assert designs.verify_print(found[0])


# --- Pictures that clients finish themselves ---------------------------------------------------------------------------
def test_a_finished_picture_covers_the_whole_print_area() -> None:
    shell, classic = make.shell(), make.template(slug="classic")
    design = designs.design_from_picture(
        owner=ME, shell=shell, picture=images.photo(912, 1810, image_format="PNG"), template_slug="classic"
    )
    assert (design.template, design.layout["template"], design.low_resolution) == (classic, None, False)
    item = design.layout["items"][0]
    assert (item["cx"], item["cy"], item["width"]) == (36.62, 74.635, 77.24)
    png = read(designs.freeze(design).print_file.name)
    with Image.open(io.BytesIO(png)) as image:
        for at, colour in (
            ((911, 0), images.BLUE),
            ((0, 1809), images.GREEN),
            ((911, 1809), images.YELLOW),
            ((0, 0), images.RED),
        ):
            assert images.near(image.getpixel(at), colour, 30)


def test_the_same_picture_is_one_design_frozen_or_not() -> None:
    shell, data = make.shell(), images.photo(912, 1810)
    first = designs.design_from_picture(owner=ME, shell=shell, picture=data)
    again = designs.design_from_picture(owner=ME, shell=shell, picture=pictures.read_picture(data))
    assert again.pk == first.pk
    frozen = designs.freeze(first)
    assert designs.design_from_picture(owner=ME, shell=shell, picture=data).pk == frozen.pk
    assert Photo.objects.count() == 1
    other = designs.design_from_picture(owner="session:other", shell=shell, picture=data)
    assert other.pk != first.pk
    assert Photo.objects.filter(owner="session:other").count() == 1


def test_a_small_finished_picture_needs_its_acceptance() -> None:
    shell, data = make.shell(), images.photo(200, 400)
    design = designs.design_from_picture(owner=ME, shell=shell, picture=data, template_slug="who knows")
    assert (design.template, design.low_resolution) == (None, True)
    with pytest.raises(designs.LowResolutionNotAccepted):
        designs.freeze(design)
    accepted = designs.design_from_picture(owner=ME, shell=shell, picture=data, accept_low_resolution=True)
    assert accepted.pk == design.pk
    assert designs.freeze(accepted).low_resolution_accepted_at is not None

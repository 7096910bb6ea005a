"""Templates at the desk: a picture of each, the number of photos, and no spec that spoils what people are making."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from catalog.models import DesignTemplate
from catalog.services import seeding, template_pictures
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
TEMPLATE = "catalog_designtemplate"
TWO = {
    "background": "#112233",
    "slots": [
        {"x": 0, "y": 0, "w": 1, "h": 0.5, "radius": 0},
        {"x": 0, "y": 0.6, "w": 1, "h": 0.4, "radius": 0},
    ],
}


def address(template: DesignTemplate) -> str:
    return f"/admin/catalog/designtemplate/{template.pk}/picture.webp"


def save(admin: Any, template: DesignTemplate, spec: str) -> Any:
    data = {
        "name": "Two",
        "name_zh": "",
        "slug": template.slug,
        "spec": spec,
        "is_active": "on",
        "sort_order": "1",
    }
    return admin.client.post(f"/admin/catalog/designtemplate/{template.pk}/change/", data)


def test_a_picture_shows_each_place_for_a_photo(admin: Any) -> None:
    template = factories.template(spec=TWO)
    answer = admin.client.get(address(template))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert len(answer.content) < 8_000
    with Image.open(io.BytesIO(answer.content), formats=["WEBP"]) as image:
        assert image.size == (160, 330)
        upper, between, lower = (image.convert("RGB").getpixel((80, y)) for y in (20, 182, 220))
        corner: Any = image.getpixel((0, 0))
    assert corner[3] == 0
    assert [
        is_near(upper, (92, 187, 233)),
        is_near(between, (17, 34, 51)),
        is_near(lower, (234, 121, 143)),
    ] == [True] * 3


def is_near(seen: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(seen, wanted, strict=True))


def test_a_browser_keeps_it_until_the_template_changes(admin: Any) -> None:
    template = factories.template(spec=TWO)
    first = admin.client.get(address(template))
    again = admin.client.get(address(template), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first["Cache-Control"]
    DesignTemplate.objects.update(spec={**TWO, "background": "#ffffff"})
    assert admin.client.get(address(template), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_every_template_of_the_shop_is_drawn(db: None) -> None:
    seeding.seed()
    for template in DesignTemplate.objects.all():
        assert template_pictures.draw(template.spec) == template_pictures.draw(template.spec), template.slug


def test_the_list_shows_pictures_and_photos(admin: Any) -> None:
    template, broken = factories.template(spec=TWO), factories.template(spec={"slots": [{"x": 1}]})
    page = admin.list(TEMPLATE).content.decode()
    assert f'src="{address(template)}?{template_pictures.mark(TWO)}"' in page
    assert address(broken) not in page
    assert "cannot be drawn" in page
    assert admin.client.get(address(broken)).status_code == 404
    assert admin.client.get(address(template).replace(str(template.pk), "999999")).status_code == 404
    assert "picture.webp" in admin.page(TEMPLATE, template).content.decode()


def test_the_list_asks_as_often_for_many_as_for_one(admin: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert admin.list(TEMPLATE).status_code == 200
        return len(seen)

    factories.template()
    asked()
    one = asked()
    for _n in range(5):
        factories.template()
    assert asked() == one


@pytest.mark.parametrize(
    "spec", ['{"slots": [{"x": 1}]}', '"x"', '{"what": 1}', '{"overlay": [{"kind": "star"}]}']
)
def test_a_spec_that_cannot_be_drawn_is_refused(admin: Any, spec: str) -> None:
    template = factories.template(spec=TWO)
    answer = save(admin, template, spec)
    assert answer.status_code == 200
    assert "This cannot be drawn" in str(answer.context["adminform"].form.errors["spec"])
    template.refresh_from_db()
    assert (template.spec, AuditEntry.objects.count()) == (TWO, 0)


def test_places_that_people_use_are_not_taken_away(admin: Any) -> None:
    template = factories.template(spec=TWO)
    one = '{"slots": [{"x": 0, "y": 0, "w": 1, "h": 1, "radius": 0}]}'
    design = factories.design(factories.shell(), template=template)
    answer = save(admin, template, one)
    assert "its 2 photos" in str(answer.context["adminform"].form.errors["spec"])
    design.delete()
    assert save(admin, template, one).status_code == 302
    template.refresh_from_db()
    assert template.slots == 1


def test_a_stranger_sees_no_picture(viewer: Any) -> None:
    template = factories.template(spec=TWO)
    assert viewer("core.view_staffitem").client.get(address(template)).status_code == 403
    assert viewer("catalog.view_designtemplate").client.get(address(template)).status_code == 200

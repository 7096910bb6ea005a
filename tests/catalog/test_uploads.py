"""An upload that is sent again is one photo: after a lost connection, twice at once, for each owner alone."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test import Client
from PIL import Image

from catalog.models import Photo
from catalog.services import drafts, photos
from tests import factories as make
from tests.catalog.test_home import at, begin, send_photo
from tests.support import images
from tests.support.threads import together

UPLOAD = "0123456789abcdef0123456789abcdef"


@pytest.mark.django_db
def test_a_retry_answers_the_same_photo_without_reading_it() -> None:
    first = photos.add_photo(owner="session:a", upload=images.photo(300, 400), upload_id=UPLOAD)
    again = photos.add_photo(owner="session:a", upload=b"what is left of it", upload_id=UPLOAD)
    assert (again, Photo.objects.count()) == (first, 1)
    other = photos.add_photo(owner="session:b", upload=images.photo(300, 400), upload_id=UPLOAD)
    plain = [photos.add_photo(owner="session:a", upload=images.photo(300, 400)) for _ in range(2)]
    assert len({first.pk, other.pk, *(photo.pk for photo in plain)}) == 4


@pytest.mark.django_db
def test_the_database_refuses_a_second_one() -> None:
    make.photo("session:a", upload_id=UPLOAD)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.photo("session:a", upload_id=UPLOAD)
    make.photo("session:b", upload_id=UPLOAD)
    make.photo("session:a")
    make.photo("session:a")
    assert Photo.objects.count() == 4


@pytest.mark.django_db
def test_the_door_takes_the_pages_id_and_no_other_word() -> None:
    visitor = Client()
    draft = begin(visitor)
    first, again = (send_photo(visitor, draft, upload_id=UPLOAD).json() for _ in range(2))
    assert (first, Photo.objects.get().upload_id) == (again, UPLOAD)
    assert again["url"] == at(draft, f"photo/{again['id']}/")
    send_photo(visitor, draft, upload_id="../../etc")
    assert sorted(Photo.objects.values_list("upload_id", flat=True)) == ["", UPLOAD]


@pytest.mark.django_db
def test_a_page_gets_a_photo_in_the_sizes_that_it_shows() -> None:
    visitor = Client()
    draft = begin(visitor)
    url = send_photo(visitor, draft).json()["url"]
    sizes = {}
    for width in (160, 640):
        answer = visitor.get(f"{url}?w={width}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        sizes[width] = max(Image.open(io.BytesIO(answer.content)).size)
    assert sizes == {160: 160, 640: 640}
    assert visitor.get(f"{url}?w=641").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_the_same_upload_twice_at_once_is_one_photo_with_its_own_files() -> None:
    data, gate, found = images.photo(300, 400), threading.Barrier(4), []

    def send() -> None:
        try:
            gate.wait(30)
            found.append(photos.add_photo(owner="session:a", upload=data, upload_id=UPLOAD).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    row = Photo.objects.get()
    assert found == [row.pk] * 4
    _folders, names = default_storage.listdir("photos")
    mine: Any = sorted(name for name in names if row.file.name and name.startswith(str(row.pk)))
    assert mine == sorted([f"{row.pk}.jpg", f"{row.pk}.small.jpg"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_photo_that_is_carried_twice_at_once_is_one_photo() -> None:
    """Two presses of "take it along" at a machine."""
    photo = photos.add_photo(owner="draft:a", upload=images.photo(300, 400))
    found = together(4, lambda _number: drafts._copied(photo, "session:a").pk)
    assert found == [Photo.objects.get(owner="session:a").pk] * 4
    _folders, names = default_storage.listdir("photos")
    mine = sorted(name for name in names if name.startswith(str(found[0])))
    assert mine == sorted([f"{found[0]}.jpg", f"{found[0]}.small.jpg"])

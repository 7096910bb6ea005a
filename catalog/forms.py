"""The studio's form without JavaScript, and the quota of an upload.

Lives here: the shape of what a page posts. Not here: what it means (`services.studio`).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.services import fonts, layouts, strict_json


class PhotoQuota(FileUploadHandler):
    """Counts the bytes of all files of a request and stops reading beyond `most`; `exceeded` says so afterwards."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most
        self.exceeded = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.left -= len(raw_data)
        if self.left < 0:
            self.exceeded = True
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """None: the next handler keeps the file."""


def _millimetres(limits: tuple[int, int]) -> forms.FloatField:
    return forms.FloatField(required=False, min_value=limits[0], max_value=limits[1])


class StudioForm(forms.Form):
    """Everything the page posts (templates/catalog/studio.html); numbers are millimetres and degrees. Nothing is
    required here: what is missing depends on the button."""

    brand = forms.IntegerField(required=False, min_value=1, label=_("Brand"))
    model = forms.IntegerField(required=False, min_value=1, label=_("Model"))
    shell = forms.IntegerField(required=False, min_value=1, label=_("Colour of the case"))
    photo = forms.UUIDField(required=False, label=_("Your photo"))
    photo_cx = _millimetres(layouts.POSITION_MM)
    photo_cy = _millimetres(layouts.POSITION_MM)
    photo_width = _millimetres(layouts.PHOTO_WIDTH_MM)
    photo_rotation = forms.FloatField(required=False, min_value=-360, max_value=360)
    template = forms.SlugField(required=False, max_length=60, label=_("Style"))
    text = forms.CharField(required=False, max_length=layouts.MAX_CHARACTERS, label=_("Your words"))
    text_font = forms.ChoiceField(required=False, choices=[(name, name) for name in fonts.NAMES])
    text_color = forms.RegexField(r"\A#[0-9a-fA-F]{6}\Z", required=False)
    text_cx = _millimetres(layouts.POSITION_MM)
    text_cy = _millimetres(layouts.POSITION_MM)
    text_size = _millimetres(layouts.TEXT_SIZE_MM)
    layout = forms.CharField(required=False, max_length=strict_json.MAX_TEXT)
    accept_low_resolution = forms.BooleanField(required=False)
    action = forms.ChoiceField(
        required=False, choices=[(word, word) for word in ("phone", "photo", "preview", "continue")]
    )

    def __init__(self, data: QueryDict | dict[str, Any]) -> None:
        super().__init__(data)
        self.is_valid()  # a field that is wrong is left out of cleaned_data; the others count

    def complaints(self) -> list[str]:
        """What is wrong, one sentence per field, naming it."""
        return [f"{self[name].label}: {errors[0]}" for name, errors in self.errors.items()]

"""Templates: a picture of each, how many photos it takes, and a guard that no spec spoils what people are making."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.html import format_html
from django.utils.http import quote_etag
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin.phones import ShownAdmin
from catalog.models import Design, DesignTemplate
from catalog.services import template_pictures, template_specs
from catalog.services.strict_json import LayoutRefused
from pimpshop.core.admin import words


class TemplateForm(forms.ModelForm):
    """A spec that cannot be drawn is refused; so are fewer places for photos than designs use."""

    def clean_spec(self) -> Any:
        spec = self.cleaned_data["spec"]
        try:
            found = template_specs.parse_spec(spec)
        except (LayoutRefused, ValueError, TypeError, AttributeError) as refusal:
            told = getattr(refusal, "detail", "") or str(refusal)
            raise forms.ValidationError(gettext("This cannot be drawn: %s") % told) from None
        before = self.instance.slots if self.instance.pk else 0
        if (
            found.slot_count < before
            and Design.objects.filter(template=self.instance, frozen_at=None).exists()
        ):
            raise forms.ValidationError(
                gettext(
                    "People are making designs with its %d photos. Please make a new template and hide this one."
                )
                % before
            )
        return spec


@admin.register(DesignTemplate)
class DesignTemplateAdmin(ShownAdmin):
    form = TemplateForm
    list_display = ("picture", "name", "name_zh", "photos", "shown", "slug", "sort_order")
    list_display_links = ("picture", "name")
    search_fields = ("slug", "name")
    fields = ("picture", "photos", "name", "name_zh", "slug", "spec", "is_active", "sort_order")
    readonly_fields = ("picture", "photos")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.picture_view)
        name = "catalog_designtemplate_picture"
        return [path("<int:template_id>/picture.webp", view, name=name), *super().get_urls()]

    def picture_view(self, request: HttpRequest, template_id: int) -> HttpResponseBase:
        """The picture. 403 without the permission, 404 for what cannot be drawn."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        template = DesignTemplate.objects.filter(pk=template_id).first()
        if template is None:
            raise Http404
        etag = quote_etag(template_pictures.mark(template.spec))
        response = get_conditional_response(request, etag=etag)
        if response is None:
            try:
                response = HttpResponse(template_pictures.draw(template.spec), content_type="image/webp")
            except (LayoutRefused, ValueError, TypeError, AttributeError):
                raise Http404 from None
        response["ETag"] = etag
        patch_cache_control(response, private=True, max_age=86400)
        return response

    @display(description=_("picture"))
    def picture(self, template: DesignTemplate) -> str:
        if not template.pk:
            return "–"
        if not _can_be_drawn(template):
            return words.label(_("cannot be drawn"), "danger")
        address = reverse("admin:catalog_designtemplate_picture", args=[template.pk])
        return format_html(
            '<img class="desk-template" src="{}?{}" alt="{}" width="80" height="165" loading="lazy">',
            address, template_pictures.mark(template.spec), gettext("The template with sample photos"),
        )  # fmt: skip

    @display(description=_("photos"))
    def photos(self, template: DesignTemplate) -> int | str:
        return template.slots if template.pk else "–"

    def audit_subject(self, obj: DesignTemplate) -> str:
        return obj.slug


def _can_be_drawn(template: DesignTemplate) -> bool:
    try:
        template_specs.parse_spec(template.spec)
    except (LayoutRefused, ValueError, TypeError, AttributeError):
        return False
    return True

"""What an edit changed, field by field, before and after; for the audit log. Secrets are named, never shown.

Here: reading it from Django's forms and rows. Not here: writing the entry (`base.KeptAdmin`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet
from django.forms import BaseForm, BaseFormSet

#: Parts of a field's name whose value nobody is to read in a log.
_SECRET = ("password", "secret", "sealed", "token", "digest", "hash", "private")
_HIDDEN = "•••"
_LONGEST = 500

Change = dict[str, str]


def of_form(form: BaseForm, *, prefix: str = "") -> list[Change]:
    """The fields that somebody changed in a bound, valid form: {"field", "before", "after"}."""
    return [
        {
            "field": f"{prefix}{name}",
            "before": _shown(name, form.get_initial_for_field(form.fields[name], name)),
            "after": _shown(name, form.cleaned_data.get(name)),
        }
        for name in form.changed_data
        if name in form.fields
    ]


def of_formsets(formsets: Iterable[BaseFormSet[Any]]) -> list[Change]:
    """The same for the rows below a row (prices of a case): each field is named `row.field`, a removed row as a whole."""
    found: list[Change] = []
    for formset in formsets:
        removed = formset.deleted_forms if formset.can_delete else []
        for form in formset.forms:
            row: Any = getattr(form, "instance", None)
            name = f"{row._meta.model_name} {row}" if row is not None else "row"
            if form in removed:
                found.append({"field": name, "before": _shown("", row), "after": ""})
            elif form.has_changed():
                found += of_form(form, prefix=f"{name}.")
    return found


def of_row(row: Model) -> list[Change]:
    """All values of a row that goes."""
    return [
        {"field": field.name, "before": _shown(field.name, field.value_from_object(row)), "after": ""}
        for field in row._meta.concrete_fields
        if not field.primary_key
    ]


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if any(part in name for part in _SECRET):
        return _HIDDEN
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(sorted(str(one) for one in value))[:_LONGEST]
    return str(value)[:_LONGEST]

"""Filters that answer a question ("stuck", "waiting at the machine"), shown as a row of chips above a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

ALL = "all"


@dataclass(frozen=True)
class Question:
    """`name` stands in the address, `label` on the chip, `rows` narrows a query set to the answer; `of_reader` does for a
    question whose answer depends on who asks (their name)."""

    name: str
    label: Any
    rows: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows
    of_reader: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None


class QuestionFilter(SimpleListFilter):
    """The base of `questions()`. Without a choice in the address `default` is asked; `all` asks nothing."""

    parameter_name = "show"
    title = _("question")
    questions: ClassVar[tuple[Question, ...]] = ()
    default: ClassVar[str] = ALL

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        return [(question.name, question.label) for question in self.questions]

    def value(self) -> str:
        return super().value() or self.default

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = next((question for question in self.questions if question.name == self.value()), None)
        if asked is not None and asked.of_reader is not None:
            return asked.of_reader(queryset, str(request.user))
        return asked.rows(queryset) if asked else queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        for name, label in [*self.lookup_choices, (ALL, _("all"))]:
            yield {
                "selected": self.value() == name,
                "query_string": changelist.get_query_string({self.parameter_name: name}),
                "display": label,
            }


def one_of(field: str, label: Any, values: Callable[[], Iterable[tuple[str, Any]]]) -> type[SimpleListFilter]:
    """A filter by a field whose values are known: Django's own would look for them in every row there is."""

    def lookups(
        self: SimpleListFilter, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return list(values())

    def queryset(self: SimpleListFilter, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{field: self.value()}) if self.value() else queryset

    members = {"title": label, "parameter_name": field, "lookups": lookups, "queryset": queryset}
    return type("OneOf", (SimpleListFilter,), members)


def questions(*asked: Question, default: str = ALL) -> type[QuestionFilter]:
    """A filter class of these questions."""
    return type("Questions", (QuestionFilter,), {"questions": asked, "default": default})

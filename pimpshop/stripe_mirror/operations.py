"""One operation: make an app's tables all at once.

Django works out the models of every migrated app anew after each step of a migration; with sixty tables that refer to
each other this is most of forty seconds. Here the steps only change the state, and the tables are made from its end.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState


class CreateTables(SeparateDatabaseAndState):
    """The models that `state_operations` lead to, as tables. For the first migration of an app only."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Forget the worked-out models first: they are worked out once more, when somebody asks for them."""
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """The tables with their indexes and constraints; foreign keys come last, so that their order is free."""
        for model in _models(app_label, to_state):
            schema_editor.create_model(model)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for model in reversed(_models(app_label, from_state)):
            schema_editor.delete_model(model)


def _models(app_label: str, state: ProjectState) -> list[Any]:
    return list(state.apps.get_app_config(app_label).get_models())

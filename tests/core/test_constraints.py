"""What the models promise is in the database: a migration may take away more than it says."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db


def _there() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes")
        return {name for (name,) in cursor.fetchall()}


def test_every_constraint_and_index_of_a_model_is_in_the_database() -> None:
    """Django drops with the index of a foreign key also the one of a unique constraint with a condition over it."""
    promised = {
        rule.name
        for model in apps.get_models()
        if model._meta.managed
        for rule in (*model._meta.constraints, *model._meta.indexes)
    }
    assert {"intent_one_settles", "posting_once", "webhookevent_once"} <= promised
    assert promised - _there() == set()

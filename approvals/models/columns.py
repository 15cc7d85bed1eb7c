"""Lengths and columns that several tables share."""

from typing import Any

from django.db import models
from django.db.models import Q

TITLE_LENGTH = 300

LABEL_LENGTH = 200

NOTE_LENGTH = 2000

MESSAGE_LENGTH = 500

REASON_LENGTH = 500

DIGEST_BYTES = 32


def words(field: str, values: Any) -> Q:
    return Q(**{f"{field}__in": sorted(value.value for value in values)})


def own(to: str, name: str) -> Any:
    """Return a foreign key whose constraint, with the tenant in it, is made in SQL."""
    return models.ForeignKey(to, models.PROTECT, db_constraint=False, related_name=name)

"""Import this first: it finds the product's code and makes Django ready, in the database named.

The database is the one of the environment, as for every process of the product.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

import django
import psycopg

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()


def connect(alias: str, *, autocommit: bool = True) -> "psycopg.Connection[Any]":
    """Open a plain connection as one of the product's roles, without Django and its pool."""
    from django.conf import settings  # noqa: PLC0415 - after the set-up

    values = settings.DATABASES[alias]
    return psycopg.connect(
        dbname=values["NAME"],
        user=values["USER"] or None,
        password=values["PASSWORD"] or None,
        host=values["HOST"] or None,
        port=values["PORT"] or None,
        autocommit=autocommit,
    )

"""A settled connection whose past may be made up, and what is exported of it."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import Place


def change(place: Place, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db, db:
        db.execute(statement, values)


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))


def exported(place: Place, folder: Path, *options: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    out = folder / "evaluations.csv"
    told = place.json("export", "evaluations", "--out", str(out), *options)
    return told, rows(out)


def aged(place: Place, days: float) -> None:
    """Everything the journal knows happened so many days earlier."""
    earlier = days * 86_400
    change(place, "UPDATE evaluation_log SET at = at - ?", earlier)
    change(place, "UPDATE profile_version SET activated_at = activated_at - ?", earlier)

"""Tables as a RevOps admin would save them, and the profile whose routes name them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from icp_sync.domain.facts import CATALOGUE
from icp_sync.domain.profile import Member, Pool, Profile, Route, Target
from icp_sync.domain.roster import Tables
from icp_sync.errors import ConfigError
from icp_sync.roster_file import load_tables

PROFILE = Profile(
    name="p",
    currency="USD",
    criteria=(),
    routes=(
        Route(target=Target(lane="sales", named="strategic.csv")),
        Route(target=Target(lane="sales", territory="territories.csv")),
    ),
    pools={"emea": Pool(name="emea", members=(Member(email="eva@example.com"),))},
)

Load = Callable[..., Tables]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load(territories="…", strategic="…", absences="…")`: the tables of these texts or bytes."""

    def loaded(profile: Profile = PROFILE, **files: str | bytes) -> Tables:
        texts: dict[str, str | bytes] = {
            "territories": "territory,owner,country\nUS,ann@example.com,US\n",
            "strategic": "domain,owner\nacme.com,ann@example.com\n",
        }
        for name, text in (texts | files).items():
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / f"{name}.csv").write_bytes(data)
        return load_tables(tmp_path, [profile], types=CATALOGUE, currency="USD")

    return loaded


_FOLDER = re.compile(r"^\S*/(?=\w+\.csv)")


def problems_of(load: Load, **files: str | bytes) -> list[str]:
    """ "file:row: what (hint)" of everything that is wrong."""
    with pytest.raises(ConfigError) as caught:
        load(**files)
    return [_FOLDER.sub("", str(problem), count=1) for problem in caught.value.problems]

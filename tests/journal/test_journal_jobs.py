"""Jobs a CRM goes on with by itself are remembered until they are known to have ended."""

from __future__ import annotations

from pathlib import Path

from icp_sync.journal import Journal


def test_a_job_is_open_until_it_has_ended_and_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    journal = Journal.open(url, "main")
    journal.begin_job("750B", ["001B", "001A"], now=2.0)
    journal.begin_job("750A", [], now=1.0)
    journal.close()
    again = Journal.open(url, "main")
    assert list(again.open_jobs().items()) == [("750A", ()), ("750B", ("001B", "001A"))]
    assert again.for_connection("other").open_jobs() == {}
    again.end_job("750A")
    again.end_job("750A")
    assert list(again.open_jobs()) == ["750B"]
    again.begin_job("750B", ["001C"], now=3.0)
    assert again.open_jobs() == {"750B": ("001C",)}
    again.close()

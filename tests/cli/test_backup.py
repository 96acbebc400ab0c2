"""`journal backup` and `journal restore`: a disk that is lost costs nothing but what nobody can know."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import create_engine, text

import icp_sync.journal
from icp_sync.cli.placing import spare
from icp_sync.journal import Journal
from icp_sync.journal.copying import connections_of, exchanged, revision_of
from icp_sync.journal.schema import REVISIONS
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, Place

ACCOUNTS = 40
MIGRATIONS = Path(icp_sync.journal.__file__).parent / "migrations"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A connection of its own portal, settled once and backed up then."""
    with Simulator(accounts=ACCOUNTS, seed=6, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        place = Place(tmp_path_factory.mktemp("backup"), crm).write()
        place.run("provision", "--apply")
        place.run("profile", "activate")
        place.run("mode", "route")
        place.settle()
        place.run("journal", "backup", str(place.folder / "first.tar"))
        yield place


@pytest.fixture
def place(ready: Place, tmp_path: Path) -> Place:
    """The same connection in a folder of its own. Its journal may be changed, its portal may not."""
    shutil.copytree(ready.folder, tmp_path / "here")
    return Place(tmp_path / "here", ready.crm).write()


def lose(place: Place) -> None:
    """The disk with the journal and the seal key is gone."""
    for file in place.folder.glob("*"):
        if file.name.startswith("journal.sqlite") or file.name == "seal.key":
            file.unlink()


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def test_a_backup_beside_a_worker_brings_everything_back_after_the_disk_was_lost(tmp_path: Path) -> None:
    with Simulator(accounts=ACCOUNTS, seed=7, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        schedule = (
            '[connections.main.schedule]\npoll = "0.1s"\ntrailing = "0.1s"\ndue = "0.2s"\n[health]\nport = 0'
        )
        place = Place(tmp_path, crm).write(schedule)
        place.run("provision", "--apply")
        place.run("profile", "activate")
        place.run("mode", "write")
        place.settle()
        worker = subprocess.Popen(
            [sys.executable, "-m", "icp_sync", "run", "--config", str(place.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            known, unknown, theirs = (company["id"] for company in place.companies(icp_tier="B")[:3])
            wrote = _written(crm)
            _edit(crm, known, numberofemployees="2")
            until(lambda: _written(crm) > wrote, "a write the backup knows")
            made = place.json("journal", "backup", str(tmp_path / "kept.tar.gz"))
            assert (made["connections"]["main"]["mode"], made["findings"]) == ("write", [])
            wrote = _written(crm)
            _edit(crm, unknown, numberofemployees="2")
            until(lambda: _written(crm) > wrote, "a write the backup does not know")
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(30)
        lose(place)
        _edit(crm, theirs, icp_tier="D")  # a person's, while nobody was looking
        restored = place.json("journal", "restore", str(tmp_path / "kept.tar.gz"))
        assert (restored["seal_key_here"], restored["unchecked"]) == ("restored", {})
        assert restored["connections"]["main"]["mode"] == "write"
        assert place.json("status")["mode"] == "observe", "nothing is written before somebody looked"
        wrote = _written(crm)
        crm.admin("POST clock", advance=5)
        place.run("mode", "write")
        done = place.json("run", "--backfill")
        place.run("run", "--once")
        assert done["read"] == ACCOUNTS
        assert _written(crm) - wrote == 1, "theirs alone: what follows from the tier they gave it"
        for ours in (known, unknown):
            told = place.json("explain", ours)
            assert (told["held"], told["override"]) == ([], None), "what we wrote since is ours by its seal"
        assert place.json("explain", theirs)["tier"] == "D", "what a person edited since is theirs"
        assert theirs in {company["id"] for company in place.companies(icp_tier="D")}
        again = _written(crm)
        crm.admin("POST clock", advance=5)
        assert place.json("run", "--backfill")["written"] == 0
        assert _written(crm) == again
        assert place.json("journal", "verify")["whole"]
        place.run("audit")


def _edit(crm: Simulator, account: str, **properties: str) -> None:
    crm.admin("POST edit", id=account, properties=properties)


def _written(crm: Simulator) -> int:
    return int(crm.admin("GET stats")["records_written"])


def test_the_file_is_its_owners_alone_and_names_what_is_in_it(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "kept.tar"
    said = place.run("journal", "backup", str(path)).stdout
    assert path.stat().st_mode & 0o777 == 0o600
    assert "It holds the seal key" in said
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["backup.json", "seal.key", "journal.sqlite"]
    without = place.json("journal", "backup", str(path), "--no-key")
    assert without["seal_key"] is False
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["backup.json", "journal.sqlite"]
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")], "nothing is left lying about"


def test_a_backup_is_only_made_of_a_whole_journal_and_takes_no_other_files_place(
    place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "kept.tar"
    path.write_text("dear all")
    assert "and no backup" in place.run("journal", "backup", str(path), code=2).stderr
    assert path.read_text() == "dear all"
    good = place.folder / "first.tar"
    before = good.read_bytes()
    with closing(sqlite3.connect(place.folder / "journal.sqlite")) as db, db:
        db.execute("UPDATE evaluation SET data = '{'")
    assert "no backup was made" in place.run("journal", "backup", str(good), code=1).stdout
    assert good.read_bytes() == before
    assert "is a folder" in place.run("journal", "backup", str(tmp_path), code=2).stderr
    lose(place)
    assert "there is no journal" in place.run("journal", "backup", str(good), code=2).stderr


def test_nothing_is_restored_while_a_worker_runs(place: Place) -> None:
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    with journal.hold("run"):
        refused = place.run("journal", "restore", str(place.folder / "first.tar"), code=1)
    journal.close()
    assert "is in use by run" in refused.stderr
    assert place.json("status")["mode"] == "route"


def test_the_journal_before_is_kept_and_what_waited_in_the_backup_does_not_act(place: Place) -> None:
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    journal.ask("backfill", {}, by="ada", now=time.time())
    journal.close()
    path = place.folder / "asked.tar"
    place.run("journal", "backup", str(path))
    place.run("mode", "observe")
    said = place.run("journal", "restore", str(path)).stdout
    assert "main: mode observe, before route; dropped: 1 request of a command" in said
    assert "icp-sync mode route" in said
    kept = next(place.folder.glob("journal.sqlite.replaced-*"))
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("SELECT mode FROM connection_state").fetchall() == [("observe",)]
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    assert journal.requests("waiting", "running") == []
    journal.close()
    assert [entry["what"] for entry in place.json("audit")["entries"]][-1] == "journal restore"
    assert place.json("journal", "verify")["whole"]


def test_another_portals_journal_is_refused_and_one_nobody_can_ask_is_said(
    place: Place, tmp_path: Path
) -> None:
    with Simulator(accounts=1, seed=1) as other:
        elsewhere = Place(place.folder, other).write()
        refused = elsewhere.run("journal", "restore", str(place.folder / "first.tar"), code=2)
        assert "but these credentials open" in refused.stderr
        assert not list(place.folder.glob("*.replaced-*"))
    place.write(token="pat-na1-wrong-token")
    told = place.json("journal", "restore", str(place.folder / "first.tar"))
    assert list(told["unchecked"]) == ["main"]


def test_another_seal_key_is_not_overwritten(place: Place) -> None:
    key = place.folder / "seal.key"
    other = json.loads(key.read_text()) | {"installation": "another", "key": "ab" * 32}
    key.write_text(json.dumps(other))
    refused = place.run("journal", "restore", str(place.folder / "first.tar"), code=2)
    assert "another seal key" in refused.stderr
    assert json.loads(key.read_text()) == other
    key.unlink()
    place.run("journal", "restore", str(place.folder / "first.tar"))
    assert key.stat().st_mode & 0o777 == 0o600
    place.run("audit")


SERVICE = 10001
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@needs_root
def test_what_root_restores_belongs_to_the_service(place: Place) -> None:
    for lost in ("", "journal", "everything"):
        if lost == "everything":
            lose(place)
        for file in (place.folder, *place.folder.iterdir()):
            os.chown(file, SERVICE, SERVICE)
        if lost == "journal":
            (place.folder / "journal.sqlite").unlink()
        elif not lost:
            (place.folder / "journal.sqlite").chmod(0o640)
        place.run("journal", "restore", str(place.folder / "first.tar"))
        for name in ("journal.sqlite", "journal.sqlite.lock", "seal.key"):
            said = (place.folder / name).stat()
            assert (name, said.st_uid, said.st_gid) == (name, SERVICE, SERVICE)
        mode = (place.folder / "journal.sqlite").stat().st_mode & 0o777
        assert mode == (0o600 if lost else 0o640)


def test_a_journal_or_key_behind_a_link_stays_behind_it(place: Place) -> None:
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    links = [place.folder / name for name in ("journal.sqlite", "seal.key")]
    for link in links:
        link.rename(elsewhere / link.name)
        link.symlink_to(elsewhere / link.name)
    (elsewhere / "seal.key").unlink()
    place.run("journal", "restore", str(place.folder / "first.tar"))
    assert [link.is_symlink() for link in links] == [True, True]
    assert len(list(elsewhere.glob("journal.sqlite.replaced-*"))) == 1
    assert (elsewhere / "seal.key").stat().st_mode & 0o777 == 0o600
    assert place.json("journal", "verify")["whole"]


def test_a_restore_killed_at_the_exchange_leaves_the_journal_where_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = place.folder / "journal.sqlite"

    class KilledError(BaseException):
        pass

    def killed(source: object, target: object) -> None:
        raise KilledError(f"{source} to {target}")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KilledError):
            exchanged(place.folder / "first.tar", journal, "now")
    assert place.json("status")["mode"] == "route", "it is still there"
    assert place.json("journal", "restore", str(place.folder / "first.tar"))["replaced"]


def test_what_a_killed_one_left_lying_is_cleared_by_the_next(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "kept.tar"
    left = [place.folder / ".journal.sqlite.spare-dead", tmp_path / ".kept.tar.spare-dead"]
    for folder in left:
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(b"half")
    with spare(tmp_path, "kept.tar") as busy:
        assert not left[1].exists()
        place.run("journal", "backup", str(path))
        assert busy.exists(), "one that somebody works in stays"
    assert not any(folder.exists() for folder in left)
    left[0].mkdir()
    place.run("journal", "restore", str(path))
    assert not [file for file in (*place.folder.iterdir(), *tmp_path.iterdir()) if ".spare-" in file.name]


def test_a_backup_takes_no_pipes_place_and_follows_a_link(place: Place, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused = place.run("journal", "backup", str(tmp_path / "pipe"), code=2)
    assert "is no regular file" in refused.stderr
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "latest.tar").symlink_to(tmp_path / "kept.tar")
    place.run("journal", "backup", str(tmp_path / "latest.tar"))
    assert (tmp_path / "latest.tar").is_symlink()
    assert tarfile.is_tarfile(tmp_path / "kept.tar")


def test_from_another_folder_it_says_where_it_looked_and_that_nothing_was_there(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong").mkdir()
    monkeypatch.chdir(tmp_path / "wrong")
    place.config.write_text(place.config.read_text().replace(f"{place.folder}/", ""))
    refused = place.run("journal", "backup", str(tmp_path / "kept.tar"), code=2)
    assert f"there is no journal at {tmp_path}/wrong/journal.sqlite" in refused.stderr
    said = place.run("journal", "restore", str(place.folder / "first.tar")).stdout
    assert f"{tmp_path}/wrong/journal.sqlite: the journal of" in said
    assert "There was no journal there before." in said
    assert f"seal key: put back as {tmp_path}/wrong/seal.key" in said
    (tmp_path / "wrong" / "seal.key").unlink()
    assert "there is none at /" in place.run("journal", "backup", str(tmp_path / "kept.tar")).stdout


def test_a_connection_the_settings_do_not_name_is_quiet_too_and_no_command_names_it(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace("connections.main", "connections.acme"))
    said = place.run("journal", "restore", str(place.folder / "first.tar"), "--no-key").stdout
    assert "main: the settings name no such connection; nobody works for it" in said
    assert "main: mode observe, before route" in said
    assert "--connection main" not in said
    assert "icp-sync plan" not in said


def test_a_journal_brought_back_by_other_means_is_made_quiet_by_hand(place: Place) -> None:
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    journal.ask("backfill", {}, by="ada", now=time.time())
    with journal.hold("run"):
        assert "is in use by run" in place.run("journal", "restored", code=1).stderr
    journal.close()
    told = place.json("journal", "restored")
    assert told["connections"]["main"] == {"mode": "route", "requests": 1, "notices": 0}
    assert place.json("status")["mode"] == "observe"
    assert place.json("audit")["entries"][-1]["what"] == "journal restored"
    assert "main: mode observe, as before" in place.run("journal", "restored").stdout


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with tarfile.open(path) as tar:
        parts = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]
    with tarfile.open(path, "w") as tar:
        for name, content in parts.items():
            new = change(name, content)
            member = tarfile.TarInfo(name)
            member.size = len(new)
            tar.addfile(member, io.BytesIO(new))


def test_what_is_no_backup_or_damaged_or_newer_changes_nothing(place: Place, tmp_path: Path) -> None:
    before = (place.folder / "journal.sqlite").read_bytes()

    def refused(path: Path, code: int = 2) -> str:
        said = place.run("journal", "restore", str(path), code=code).stderr
        assert (place.folder / "journal.sqlite").read_bytes() == before
        return said

    path = tmp_path / "other.tar"
    for content in (b"", b"hello", b"\x1f\x8b\x08", os.urandom(2_000)):
        path.write_bytes(content)
        assert "is no backup" in refused(path)
    with tarfile.open(path, "w") as tar:
        tar.add(PROFILE, arcname="backup.json")
    assert "is no backup" in refused(path)
    good = place.folder / "first.tar"
    path.write_bytes(good.read_bytes()[:-20_000])
    assert "is damaged" in refused(path)
    shutil.copy(good, path)
    repacked(path, lambda name, content: content[:-1] + b"x" if name == "journal.sqlite" else content)
    assert "is damaged" in refused(path)
    repacked(path, lambda name, content: content.replace(b'"schema": "00', b'"schema": "99'))
    assert "is newer than this version's" in refused(path)
    assert "No such file" in refused(tmp_path / "nowhere.tar", code=1)


def made_by_an_older_program(path: Path, revision: str, identity: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        upgrade(config, revision)
        row = (
            "INSERT INTO connection_state (connection, identity, crm, mode, active_version, roster_version) "
        )
        row += "VALUES ('main', :identity, 'hubspot', 'write', 0, 0)"
        conn.execute(text(row), {"identity": identity})
    engine.dispose()


def test_an_older_programs_journal_is_backed_up_as_it_is_and_migrated_when_restored(place: Place) -> None:
    path, kept = place.folder / "journal.sqlite", place.folder / "old.tar"
    (known,) = connections_of(path)
    path.unlink()
    made_by_an_older_program(path, "0006", known.identity)
    made = place.json("journal", "backup", str(kept))
    assert (made["schema"], revision_of(path)) == ("0006", "0006"), "no backup migrates anything"
    place.run("journal", "restore", str(kept))
    assert revision_of(path) == REVISIONS[-1]
    assert place.json("journal", "verify")["whole"]


def test_a_journal_on_a_server_is_its_servers_to_back_up(place: Place, tmp_path: Path) -> None:
    text = place.config.read_text()
    start = text.index('journal = "')
    url = "postgresql+psycopg://icp:hunter2secret@db.example/icp"
    place.config.write_text(f'journal = "{url}"' + text[text.index("\n", start) :])
    for asked in ("backup", "restore"):
        said = place.run("journal", asked, str(tmp_path / "kept.tar"), code=2).stderr
        assert "pg_dump --format=custom" in said
        assert "pg_restore --clean --if-exists" in said
        assert "icp-sync journal restored" in said
        assert "hunter2secret" not in said

"""Every column of the checker's table turns non-zero on a log that deserves it, and stays zero otherwise."""

from __future__ import annotations

from itertools import count

import pytest

from tests.soak import oracle
from tests.soak.checker import COLUMNS, OFTEN, Table, check
from tests.soak.claims import BETWEEN
from tests.soak.ledger import Entry, Evidence

HOUR = 3_600_000


class Portal:
    """One account of 80 people in France, as a log; `record` is what it shows."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.record = {"employees": "80", "country": "France"}
        self.kills: list[int] = []
        self.reversals: list[tuple[int, int]] = []
        self.at = 1_000_000_000
        self._seq = count(1)

    def _write(self, ours: bool, values: dict[str, str]) -> None:
        for name, value in values.items():
            before = self.record.get(name, "")
            entry = Entry(
                seq=next(self._seq), id="1", field=name, value=value, before=before, ours=ours, at=self.at
            )
            self.entries.append(entry)
            self.record[name] = value

    def we(self, **values: str) -> Portal:
        """Write these values, or what the oracle says, ten seconds later."""
        self.at += 10_000
        told = oracle.of(self.record, typed=values.pop("typed", ""))
        self._write(True, values or {n: v for n, v in told.items() if self.record.get(n) != v})
        return self

    def they(self, after: int = 10_000, **values: str) -> Portal:
        self.at += after
        self._write(False, values)
        return self

    def wait(self, ms: int) -> Portal:
        self.at += ms
        return self

    def killed(self) -> Portal:
        self.at += 1
        self.kills.append(self.at)
        return self

    def table(self, **more: object) -> Table:
        seen = Evidence(
            entries=self.entries,
            records={"1": self.record},
            kills=self.kills,
            reversals=self.reversals,
            **more,  # type: ignore[arg-type]
        )
        return check(seen)


def full(table: Table) -> set[str]:
    return {name for name, found in table.findings.items() if found}


def calm() -> Portal:
    return Portal().we().they(employees="90000").we().they(employees="80").we()


def test_a_portal_where_all_is_well_gives_a_row_of_zeros() -> None:
    table = calm().they(fit_score="7").table()
    assert table.clean(), table.said()
    assert (table.human_edits, table.writes) == (1, 3)


def test_a_change_nobody_settled_is_lost() -> None:
    assert full(calm().they(employees="").table()) == {"lost"}


def test_a_value_of_nobody_is_lost() -> None:
    portal = calm()
    portal.record["lane"] = "none"
    assert full(portal.table()) == {"lost"}


def test_a_value_over_itself_is_doubled_unless_a_kill_explains_it() -> None:
    assert full(calm().we(tier="A").table()) == {"doubled"}
    after = calm().killed().we(tier="A").table()
    assert after.clean()
    assert after.repeated == 1


def test_to_and_fro_is_doubled_unless_it_was_asked_for() -> None:
    flap = calm().we(priority="B3").we(priority="A3").we(priority="B3")
    assert "doubled" in full(flap.table())
    asked = calm().we(priority="B3").we(priority="A3").we(priority="B3")
    asked.reversals.append((asked.at - 15_000, asked.at))
    assert "doubled" not in full(asked.table())


def test_to_and_fro_is_explained_by_what_happened_since_the_first_of_them_was_read() -> None:
    portal = calm().they(employees="90000").they(employees="80")
    portal.we(fit_score="40", fit_low="40", fit_high="40", tier="C", model_tier="C", lane="nurture")
    portal.they(employees="90000")
    portal.we(fit_score="100", fit_low="100", fit_high="100", tier="A", model_tier="A", lane="sales").we()
    assert portal.table().clean(), portal.table().said()


def test_a_persons_value_that_was_there_when_we_read_is_overwritten() -> None:
    assert full(calm().they(priority="D1").we(priority="A1").table()) == {"overwritten"}


def test_a_persons_value_between_read_and_write_is_unrestored_until_it_is_given_back() -> None:
    portal = calm().they(priority="D1").wait(BETWEEN - 10_500)
    assert full(portal.we(priority="A1").table()) == {"unrestored"}
    table = portal.we(priority="D1").table()
    assert table.clean(), table.said()
    assert table.restored == 1


def test_what_we_had_written_last_is_nobodys_claim() -> None:
    assert calm().we(priority="A3").they(priority="B3").they(priority="A3").we(priority="C3").table().clean()


def test_a_tier_typed_over_ours_gives_way_to_an_override() -> None:
    portal = calm().they(tier="D").we(lane="nurture").they(tier_override="B")
    table = portal.we(tier="B", lane="sales").table()
    assert table.clean(), table.said()


def test_a_write_from_inputs_older_than_the_last_writes_is_stale() -> None:
    late = calm().they(employees="90000").they(employees="20")
    late.we().we(fit_score="100", fit_low="100", fit_high="100")
    assert "stale" in full(late.table())
    between = calm().they(employees="90000").they(employees="20")
    between.we(fit_score="40", fit_low="40", fit_high="40").we()
    assert between.table().clean(), "a read between two edits is as good as any"


def test_a_write_to_an_account_that_was_gone_is_stale() -> None:
    portal = calm()
    gone = Evidence(entries=portal.entries, records={}, gone={"1": portal.at - 5})
    assert full(check(gone)) == {"stale"}


def test_writes_that_nobody_asked_for_are_a_loop() -> None:
    portal = calm()
    for n in range(OFTEN):
        portal.we(timing=str(n))
    assert full(portal.table()) == {"looped"}
    slow = calm()
    for n in range(3 * OFTEN):
        slow.wait(HOUR).we(timing=str(n))
    assert slow.table().clean()


def test_a_call_below_the_reserve_is_told() -> None:
    assert full(calm().table(below_reserve=1)) == {"reserve"}


def test_what_was_taken_back_is_held_against_what_it_was() -> None:
    portal = calm()
    told = check(Evidence(entries=portal.entries, records={"1": portal.record}), {"1": {"tier": ""}})
    assert full(told) == {"lost"}


@pytest.mark.parametrize(
    ("employees", "country", "tier", "score"),
    [
        ("80", "France", "A", "100"),
        ("5000", "Japan", "B", "60"),
        ("5001", "Germany", "C", "40"),
        ("20", "Japan", "D", "0"),
        ("100001", "France", "Not ICP", "40"),
        ("", "France", "Needs data", "70"),
    ],
)
def test_the_oracle_reads_the_profile_as_a_person_does(
    employees: str, country: str, tier: str, score: str
) -> None:
    told = oracle.standing(employees, country)
    assert (told["tier"], told["fit_score"]) == (tier, score)


def test_every_column_has_a_place_in_the_row() -> None:
    assert list(Table().figures())[: len(COLUMNS)] == list(COLUMNS)

"""The corpus at every place: read, unknown or a clear error. `python -m tests.security` pushes all of it."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.security.corpus import VALUES, WRECKS
from tests.security.places import Place, everything, run, shown
from tests.security.servers import run_wrecks


def test_no_value_surprises_any_place() -> None:
    """A fifth of the values at each place, another fifth at the next: every value and every place is met."""
    pushed, findings = 0, []
    for at, place in enumerate(everything()):
        for value in islice(VALUES, at % 5, None, 5):
            pushed += 1
            try:
                place.outcome(value)
            except Exception as error:
                findings.append(f"{place.name}: {shown(value)}: {type(error).__name__}: {error}"[:300])
    assert findings == []
    assert pushed >= 2_000
    assert len(VALUES) >= 300


def test_no_reply_surprises_any_connector() -> None:
    counted, findings = run_wrecks(WRECKS[3::9], statuses=(200,))
    assert [(name, body, repr(error)[:200]) for name, body, error in findings] == []
    assert sum(row["error"] for row in counted.values()) > 100


@pytest.mark.parametrize("value", ["x' OR Name != '", "\\' OR Id != null OR Name = \\'", "\\", "a\nb", "'"])
def test_a_value_never_leaves_its_quotes_in_soql(value: str) -> None:
    for place in everything():
        if place.name.startswith("SOQL"):
            assert place.outcome(value) == "read"


def test_a_place_that_stumbles_is_a_finding() -> None:
    """The programme can fail: what is neither a value nor a promised error is counted."""
    broken = Place("broken", int)
    with pytest.raises(ValueError, match="invalid literal"):
        broken.outcome("x")
    assert Place("careful", int, (ValueError,)).outcome("x") == "error"
    with pytest.raises(AssertionError):
        Place("mad", lambda _: float("nan")).outcome("x")


def test_the_programme_counts_what_it_pushes() -> None:
    counted, findings = run(("a",))
    assert not findings
    assert {sum(row.values()) for row in counted.values()} == {1}

"""What readers miss, and whether they come to an end: ties, late records, thousands in one instant, a stale
index. Ours and the loops a user would write; the connectors are the section `peers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench.places import Served, served
from tests.bench.sections.adversarial.readers import bare, ours
from tests.bench.sections.adversarial.scenes import BEFORE, MANY, SCENES, Found, Reader, crowd, late_ones
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section

Opened = Callable[[Served, Path], AbstractContextManager[Reader]]
NAMES = {"hubspot": "HubSpot", "salesforce": "Salesforce"}
SAID = (
    "Late: stamped so long before the newest record the reader had seen. What we find an hour later is "
    "found by the trailing pass, which reads every window again; ties and what is 1 s late are within the "
    "poll's overlap. The index is stale where a newer record shows before it (on Salesforce: a transaction "
    "that commits after a later one). A reader that has not come to an end after 45 s is ended; it loops "
    "where it had given the same records out again and again."
)


def adversarial(folder: Path, size: Size) -> Section:
    """What ours misses, which must be nothing, and the table."""
    found: dict[tuple[str, str], Found] = {}
    for crm in NAMES:
        for opened in (ours, bare):
            name, seen = tried(crm, opened, folder / f"{crm}-{opened.__name__}", size)
            found[name, crm] = seen
    mine = [seen for (name, _), seen in found.items() if name == "icp-sync"]
    wrong = sum(seen.missed + seen.looped for seen in mine)
    row = Row(
        key="adversarial.ours",
        what="records missed, and reads without an end, of ours on both CRMs",
        unit="records",
        ours=wrong,
        goal="0",
        met=not wrong,
    )
    told = [[f"{name} ({NAMES[crm]})", *seen.cells()] for (name, crm), seen in found.items()]
    return Section(title="What readers miss", rows=[row], said=f"{table(told)}\n\n{SAID}")


def tried(crm: str, opened: Opened, folder: Path, size: Size) -> tuple[str, Found]:
    """A reader's name, and what it made of every scene; the crowd comes on a portal of its own."""
    found = Found()
    before, many = min(BEFORE, size.accounts), min(MANY, 2 * size.accounts)
    for place in ("late", "crowd"):
        (own := folder / place).mkdir(parents=True)
        with populated(crm, 0) as at, opened(at, own) as reader:
            if place == "late":
                late_ones(at, reader, found, before=before)
            else:
                crowd(at, reader, found, many=many)
    return reader.name, found


def populated(crm: str, accounts: int) -> AbstractContextManager[Served]:
    """A CRM whose index shows at once what it is not told to hold back."""
    more: Mapping[str, object] = {"index_lag": 0} if crm == "hubspot" else {}
    return served(crm, accounts=accounts, **more)


def table(lines: Sequence[Sequence[str]]) -> str:
    """Markdown: a line for each reader."""
    head = ["reader", *SCENES, "thousands in one instant"]
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])

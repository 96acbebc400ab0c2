"""Values that say something nobody can read → sentences, so that no gap in what is known goes unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from icp_sync.learning.past.steadiness import OUTCOME_FACTS
from icp_sync.learning.past.wanting import counted
from icp_sync.tables.industry_cells import candidates

_SHOWN = 3


@dataclass(slots=True)
class Unread:
    """What could not be read of each fact, by its text. Facts that are never learned from do not count."""

    texts: dict[str, Counter[str]] = field(default_factory=dict)

    def see(self, unread: Mapping[str, str]) -> None:
        """One account's: fact → text."""
        for fact, text in unread.items():
            if fact not in OUTCOME_FACTS:
                self.texts.setdefault(fact, Counter())[text[:40]] += 1

    def sentences(self, names: Mapping[str, str], one: str) -> Iterable[str]:
        """A sentence for each fact, the worst first. names: fact → what to call it; one: "cell", "value"."""
        ranked = sorted(self.texts.items(), key=lambda item: (-item[1].total(), item[0]))
        for fact, texts in ranked:
            example = texts.most_common(1)[0][0]
            may = ""
            if fact == "industry" and (meant := candidates(example)):
                listed = ", ".join(name.replace("_", " ").lower() for name in meant[:_SHOWN])
                may = f", which spans {listed}{' and more' if len(meant) > _SHOWN else ''}"
            yield (
                f"{names.get(fact, fact)}: {counted(texts.total(), one)} nobody can read, such as "
                f"'{example}'{may}: unknown"
            )

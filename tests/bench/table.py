"""What a bench says: rows of things run in turn, gathered in sections, as Markdown or JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field

HEAD = "| what | ours | beside | ratio | goal | met |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison. ours, beside: medians in the stated unit; beside None where nothing stands beside it.

    key: by which a table of goals finds it ("ceiling.hubspot"). met: whether the goal is reached, None where
    there is none. spread: the longest and the shortest of ours, where they were several.
    """

    key: str
    what: str
    unit: str
    ours: float
    beside: float | None = None
    goal: str = ""
    met: bool | None = None
    note: str = ""
    spread: tuple[float, float] | None = None

    @property
    def ratio(self) -> float | None:
        """ours / beside."""
        return self.ours / self.beside if self.beside else None

    @property
    def figure(self) -> str:
        """Ours, in words."""
        return f"{number(self.ours)} {self.unit}"

    def line(self) -> str:
        beside = "" if self.beside is None else f"{number(self.beside)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        what = f"{self.what} ({self.note})" if self.note else self.what
        return f"| {what} | {self.figure} | {beside} | {ratio} | {self.goal} | {met} |"

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one part of the bench found. said: Markdown below its rows, such as a table of another shape.

    data: what pictures are drawn from."""

    title: str
    rows: Sequence[Row] = ()
    said: str = ""
    data: dict[str, object] = field(default_factory=dict)

    def markdown(self) -> str:
        table = [HEAD, *(row.line() for row in self.rows)] if self.rows else []
        return "\n".join([f"### {self.title}", "", *table, *(["", self.said] if self.said else []), ""])

    def to_json(self) -> dict[str, object]:
        rows = [row.to_json() for row in self.rows]
        return {"title": self.title, "rows": rows, "said": self.said, "data": self.data}

    @classmethod
    def from_json(cls, kept: dict[str, object]) -> Section:
        rows = kept.get("rows")
        assert isinstance(rows, list)
        return cls(**{**kept, "rows": [_row(row) for row in rows]})  # type: ignore[arg-type]


def _row(kept: dict[str, object]) -> Row:
    plain = {name: value for name, value in kept.items() if name != "ratio"}
    spread = plain.get("spread")
    return Row(**{**plain, "spread": tuple(spread) if isinstance(spread, list) else None})  # type: ignore[arg-type]


def number(figure: float) -> str:
    """Three digits that count, whole numbers in full: 1,234; 12.3; 0.0456."""
    return f"{figure:,.0f}" if abs(figure) >= 100 or figure == int(figure) else f"{figure:.3g}"


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Median of each run, all of them once a round: a slow minute of the machine slows all of them."""
    return [statistics.median(taken) for taken in taken_in_turn(rounds, *runs)]


def taken_in_turn(rounds: int, *runs: Callable[[], float]) -> list[list[float]]:
    """What each run took, by run, all of them once a round."""
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [list(column) for column in zip(*taken, strict=True)]


def spread(taken: Iterable[float]) -> tuple[float, float]:
    """The least and the most."""
    seen = list(taken)
    return min(seen), max(seen)

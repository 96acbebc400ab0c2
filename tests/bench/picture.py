"""A line chart on two logarithmic axes, as an SVG that reads on light and on dark pages. No script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 220, 52, 52
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #59636e }
.grid { stroke: #d1d9e0; stroke-width: 1 } path.line { fill: none; stroke-width: 2 }
.c0 { stroke: #0969da; fill: #0969da } .c1 { stroke: #bc4c00; fill: #bc4c00 }
.c2 { stroke: #1a7f37; fill: #1a7f37 }
.c3 { stroke: #8250df; fill: #8250df } .ideal { stroke-dasharray: 5 4; opacity: .55 }
text.c0, text.c1, text.c2, text.c3 { stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d }
.c0 { stroke: #4493f8; fill: #4493f8 } .c1 { stroke: #f0883e; fill: #f0883e }
.c2 { stroke: #3fb950; fill: #3fb950 }
.c3 { stroke: #ab7df8; fill: #ab7df8 }
}
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """name: told at its end. points: x and y, above 0. ideal: n log n from the first point, drawn dashed."""

    name: str
    points: Sequence[tuple[float, float]]
    ideal: bool = False


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What is drawn. across, up: what the axes say."""

    title: str
    across: str
    up: str
    lines: Sequence[Line]

    def svg(self) -> str:
        """The whole file."""
        frame = Frame.around([point for line in self.lines for point in line.points])
        said = escape(f"{self.title}: " + ", ".join(line.name for line in self.lines))
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
                f'aria-label="{said}">',
                f"<style>{_STYLE}</style>",
                _text(LEFT, 26, self.title, "title"),
                *frame.grid(),
                _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.across, "small", anchor="middle"),
                _text(LEFT, 44, self.up, "small"),
                *self._drawn(frame),
                "</svg>",
                "",
            ]
        )

    def _drawn(self, frame: Frame) -> Iterator[str]:
        places = _apart([frame.at(*line.points[-1])[1] for line in self.lines])
        for nth, (line, place) in enumerate(zip(self.lines, places, strict=True)):
            style = f"c{nth % 4}"
            if line.ideal:
                yield f'<path class="line ideal {style}" d="{frame.path(_n_log_n(line.points))}"/>'
            yield f'<path class="line {style}" d="{frame.path(line.points)}"/>'
            for x, y in (frame.at(*point) for point in line.points):
                yield f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
            yield _text(WIDTH - RIGHT + 12, place + 4, line.name, style)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Whole decades around all points: exponents of ten."""

    left: int
    right: int
    low: int
    high: int

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]]) -> Frame:
        across, up = ([log10(point[axis]) for point in points] for axis in (0, 1))
        return cls(
            left=floor(min(across)),
            right=max(ceil(max(across)), floor(min(across)) + 1),
            low=floor(min(up)),
            high=max(ceil(max(up)), floor(min(up)) + 1),
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is on the page."""
        right = (log10(x) - self.left) / (self.right - self.left)
        up = (log10(y) - self.low) / (self.high - self.low)
        return LEFT + right * (WIDTH - RIGHT - LEFT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in (self.at(*point) for point in points))

    def grid(self) -> Iterator[str]:
        """A line and its figure for each decade."""
        for decade in range(self.left, self.right + 1):
            x, y = self.at(10.0**decade, 10.0**self.low)
            yield f'<path class="grid" d="M{x:.1f} {y:.1f} V{TOP}"/>'
            yield _text(x, y + 18, _figure(decade), "small", anchor="middle")
        for decade in range(self.low, self.high + 1):
            x, y = self.at(10.0**self.left, 10.0**decade)
            yield f'<path class="grid" d="M{x:.1f} {y:.1f} H{WIDTH - RIGHT}"/>'
            yield _text(x - 8, y + 4, _figure(decade), "small", anchor="end")


def _n_log_n(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Through the first point, what n log n would make of the others."""
    (n, first), *_ = points
    return [(x, first * x * log10(x) / (n * log10(n))) for x, _ in points]


def _apart(places: Sequence[float], gap: float = 17.0) -> list[float]:
    """The same heights, moved so that no two texts overlap."""
    moved: dict[int, float] = {}
    last = float("-inf")
    for nth in sorted(range(len(places)), key=places.__getitem__):
        moved[nth] = last = max(places[nth], last + gap)
    return [moved[nth] for nth in range(len(places))]


def _figure(decade: int) -> str:
    return f"{10**decade:,}" if decade >= 0 else f"{10.0**decade:g}"


def _text(x: float, y: float, said: str, style: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(said)}</text>'

"""What facts would cost, in words: for `plan` and `enrich`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.sync.report import Report


def credits_json(report: Report) -> dict[str, float]:
    """Credits of a dry run: expected, the most it may come to, and what asking everything would cost."""
    now, most, everything = (
        sum(counter.values()) for counter in (report.credits, report.credits_most, report.credits_everything)
    )
    return {
        "now": now,
        "most": most,
        "everything": everything,
        "saved": max(0.0, everything - now),
    }


def forecast_words(now: float, most: float, everything: float) -> str:
    """ "credits: about 12 now, at most 30; asking everything would cost 90, so 78 are saved (87 %)"."""
    if everything <= 0 and most <= 0:
        return "credits: none; what would be asked is free"
    said = f"credits: about {_whole(now)} now, at most {_whole(most)}"
    saved = everything - now
    if saved <= 0:
        return said
    return (
        f"{said}; asking everything would cost {_whole(everything)}, so {_whole(saved)} are saved "
        f"({saved / everything:.0%})"
    )


def _whole(credits: float) -> str:
    rounded = round(credits) if credits >= 10 else round(credits, 1)
    return f"{rounded:,}" if rounded != int(rounded) else f"{int(rounded):,}"

"""How a connection buys facts: whom it asks for each, when it is content, and how much it may spend; and
under which name a source's entry and its keys are known."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from icp_sync.domain.buying import CHANGE_WORTH, Buy, Buying, Rule, Stop
from icp_sync.domain.buying import Budgets as Most
from icp_sync.settings.guard import Share
from icp_sync.settings.parts import Part, Seconds, duration

PRICE, DAY, MONTH = "price", "budget_day", "budget_month"
GENERIC = (PRICE, DAY, MONTH)
"""Keys any entry of `enrichers` may carry, whatever source it names. All are credits."""


REST = "rest"
"""`use` of a vendor described by a manifest of one's own, whose path is the key `manifest`."""

LARGEST_MANIFEST = 1_000_000  # characters
_SECRET_KEY = re.compile(r"token|secret|password|api_?key|credential", re.IGNORECASE)
_VENDOR = re.compile(r"""^vendor:[ \t]*(["']?)([A-Za-z0-9][A-Za-z0-9_.-]*)\1[ \t]*(?:#.*)?$""", re.MULTILINE)


def _floor(raw: Any) -> Any:
    """0.6, or "60%"."""
    if isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw <= 1:
        return f"{100 * raw:.3f}%"
    if isinstance(raw, str) and raw.strip().replace(".", "", 1).isdigit() and float(raw) <= 1:
        return f"{100 * float(raw):.3f}%"
    return raw if isinstance(raw, str) else "none"


def _names(raw: Any) -> Any:
    """An environment variable may name several with commas between them."""
    return [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw


Credits = Annotated[float | None, Field(gt=0, allow_inf_nan=False)]
"""Credits, None for no limit."""


class FactRule(Part):
    """The waterfall of one fact."""

    order: Annotated[list[str], BeforeValidator(_names)] = Field(
        [],
        description="Enrichers to ask for it, by name; one that is not named is not. Empty: all, in order.",
    )
    stop: Literal["first", "all"] = Field("first", description="Whether one value is enough.")
    floor: Annotated[Share, BeforeValidator(_floor)] = Field(
        0.0, description="The least confidence of a value that counts, as 0.6 or 60%."
    )
    ttl: Seconds | None = Field(
        None, description="How long a value stays valid; by default as its source says."
    )

    @property
    def rule(self) -> Rule:
        return Rule(order=tuple(self.order), stop=Stop(self.stop), floor=self.floor, ttl=self.ttl)


class Budgets(Part):
    """The most credits that may be spent, those of unknown fate included."""

    account: Credits = Field(None, description="On one company in any 30 days.")
    run: Credits = Field(None, description="In one run of a stream.")
    day: Credits = Field(None, description="A day, in UTC.")
    month: Credits = Field(None, description="A calendar month, in UTC.")


class Enrichment(Part):
    """Only a fact that can still change a tier, a flag or a route is bought, within the budgets."""

    mode: Literal["value", "everything", "nothing"] = Field(
        "value",
        description="`everything` asks every source about every account in scope, to compare; `nothing` asks "
        "free sources alone.",
    )
    change_worth: float = Field(
        CHANGE_WORTH,
        gt=0,
        allow_inf_nan=False,
        description="Credits one change of tier, flag or route may cost on average.",
    )
    budgets: Budgets = Budgets()
    retry_unknown_after: Seconds = Field(
        duration("1h"), description="When a request of which nobody knows whether it was paid is sent again."
    )
    facts: dict[str, FactRule] = Field({}, description="By the name of the fact.")

    @property
    def buying(self) -> Buying:
        """The same for the core, but for the budgets of single enrichers."""
        return self.buying_with({})

    def buying_with(self, vendors: Mapping[str, tuple[float, float]]) -> Buying:
        """vendors: enricher → the credits it may take a day and a month."""
        said = self.budgets
        return Buying(
            mode=Buy(self.mode),
            change_worth=self.change_worth,
            rules={fact: one.rule for fact, one in self.facts.items()},
            budgets=Most(
                account=said.account or inf,
                run=said.run or inf,
                day=said.day or inf,
                month=said.month or inf,
                vendors=dict(vendors),
            ),
            retry_unknown_after=self.retry_unknown_after,
        )


def refuse_unfit_generic(entry: Mapping[str, Any], number: int) -> None:
    """Raises ValueError where a generic key of the `number`-th enricher is no number of credits."""
    for key in GENERIC:
        if key not in entry:
            continue
        value = entry[key]
        least = 0.0 if key == PRICE else 1e-9
        sound = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not sound or value < least:
            what = "0 or more" if key == PRICE else "more than 0, or left out for no limit"
            raise ValueError(f"number {number}: {key} is credits, {what}")


def budget_of(entry: Mapping[str, Any]) -> tuple[float, float]:
    """The credits one enricher may take a day and a month; infinite where its entry does not say."""
    return float(entry.get(DAY, inf)), float(entry.get(MONTH, inf))


def name_of(entry: Mapping[str, Any]) -> str:
    """What a source is called everywhere: its `name`; else, of a manifest of one's own, the manifest's
    `vendor`; else what it uses."""
    if name := str(entry.get("name") or "").strip():
        return name
    use = str(entry.get("use") or "").strip()
    return (_vendor(entry.get("manifest")) if use == REST else "") or use


def _vendor(path: object) -> str:
    """The line `vendor:` of a manifest, "" where there is none: whoever loads it says what is wrong."""
    if not isinstance(path, str) or not path:
        return ""
    try:
        with Path(path).open(encoding="utf-8") as stream:
            text = stream.read(LARGEST_MANIFEST)
    except (OSError, ValueError):
        return ""
    found = _VENDOR.search(text)
    return found[2] if found else ""


def as_variable(name: str) -> str:
    """A source's name as a part of a variable's, or of a secret file's in small letters: "people_data"."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def is_secret_key(entry: Mapping[str, Any], key: str) -> bool:
    """Whether a key of an entry is a credential. A plain `key` is one at every vendor; a CSV file's names a
    column, and what a class of somebody's takes as its key is not known."""
    use = str(entry["use"]).strip()
    plain = use == "csv" or ":" in use
    return bool(_SECRET_KEY.search(key)) or (key == "key" and not plain)


def refuse_namesakes(sources: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValueError where two entries go by one name: neither's keys, budgets nor answers would be its
    own. What a class of somebody's calls itself shows when it is made."""
    called_so = [
        "" if ":" in str(one["use"]) and not one.get("name") else as_variable(name_of(one)) for one in sources
    ]
    twice = [name for name, n in Counter(called_so).items() if n > 1 and name]
    for name in twice:
        numbers = [n for n, one in enumerate(called_so, start=1) if one == name]
        called = name_of(sources[numbers[0] - 1])
        places = " and ".join(map(str, numbers))
        raise ValueError(f"numbers {places} are both called '{called[:64]}'; give each a `name` of its own")


def with_secrets(
    sources: Sequence[dict[str, Any]], secrets: Mapping[str, Mapping[str, SecretStr]]
) -> list[dict[str, Any]]:
    """The entries with the keys that were given apart, and with what may be a credential hidden.

    secrets: by the enricher's name, see `name_of`. Raises ValueError for one that is nobody's, and for a key
    that is given twice.
    """
    names = [name_of(source) for source in sources]
    known = {as_variable(name): name for name in names}
    for name in secrets:
        if as_variable(name) not in known:
            near = difflib.get_close_matches(as_variable(name), known, n=1)
            called = ", ".join(names) or "none"
            hint = f"is '{known[near[0]]}' meant, or misspelt itself?" if near else f"there are: {called}"
            raise ValueError(f"secrets are given for '{name[:64]}', which is no enricher; {hint}")
    given: dict[str, dict[str, SecretStr]] = {}
    for name, keys in secrets.items():
        given.setdefault(as_variable(name), {}).update(keys)
    entries = []
    for name, source in zip(names, sources, strict=True):
        apart = given.get(as_variable(name), {})
        if twice := sorted(apart.keys() & source.keys()):
            raise ValueError(
                f"{name}: {', '.join(twice)} is given here and among the secrets; keep the latter"
            )
        entries.append({**_hidden(source), **apart})
    return entries


def _hidden(source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: SecretStr(value) if isinstance(value, str) and is_secret_key(source, key) else value
        for key, value in source.items()
    }

"""Sources of facts beside the CRM: how a configuration's entries become enrichers.

The port is `icp_sync.ports.Enricher`; `README.md` beside this file shows the smallest one.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from icp_sync.enrichers.manifest.building import Building
from icp_sync.enrichers.manifest.loading import shipped
from icp_sync.errors import ConfigError, Problem
from icp_sync.ports import Crm, Enricher

ENTRY_POINTS = "icp_sync.enrichers"
"""The entry-point group third parties register their enrichers in."""

BUILT_IN: Mapping[str, str] = {
    "contacts": "icp_sync.enrichers.contacts:Contacts",
    "csv": "icp_sync.enrichers.csv_file:CsvFile",
    "public_companies": "icp_sync.enrichers.public_companies:PublicCompanies",
    "website": "icp_sync.enrichers.website:Website",
}

REST = "rest"
"""`use` of a vendor described by a manifest of one's own, whose path is the key `manifest`."""

_GIVEN = "crm"
"""The constructor's argument that the connection gives, not the configuration."""

_BUDGETS = frozenset(("budget_day", "budget_month"))
"""Keys of an entry that are for whoever counts the credits."""

_PORT = ("name", "facts", "price", "ttl", "miss_ttl", "answer")


def load(
    entries: Sequence[Mapping[str, object]], crm: Crm | None = None, *, rehearsed: bool = True
) -> tuple[Enricher, ...]:
    """The enrichers a configuration lists, in its order, which is the order they are asked in.

    Each entry has `use`: a built-in name, that of a manifest in `vendors/`, "rest" with the path of another
    as `manifest`, an entry point's name or "package.module:Class"; its other keys are the constructor's
    arguments. A constructor that takes `crm` is given the connection's; it is no key.
    Names must differ. rehearsed: manifests are held against their samples, too.
    Raises ConfigError with every problem at once.
    """
    problems: list[Problem] = []
    made: list[Enricher] = []
    for index, entry in enumerate(entries):
        where = f"enrichers[{index}]"
        enricher = _made(entry, where, crm, problems, rehearsed=rehearsed)
        if enricher is None:
            continue
        if enricher.name in {other.name for other in made}:
            problems.append(
                Problem(where=f"{where}.name", what=f"'{enricher.name}' is used twice", hint="give it a name")
            )
        made.append(enricher)
    if problems:
        raise ConfigError(problems)
    return tuple(made)


def _made(
    entry: Mapping[str, object], where: str, crm: Crm | None, problems: list[Problem], *, rehearsed: bool
) -> Enricher | None:
    use = entry.get("use") if isinstance(entry, Mapping) else None
    if not isinstance(use, str) or not use:
        problems.append(Problem(where=f"{where}.use", what="must name an enricher", hint=_known()))
        return None
    try:
        build = _manifest(use, entry, where, rehearsed=rehearsed) or _found(use)
    except LookupError as error:
        problems.append(Problem(where=f"{where}.use", what=str(error.args[0]), hint=_near(use)))
        return None
    except ConfigError as error:
        problems += error.problems
        return None
    arguments = {str(key): value for key, value in entry.items() if key not in {"use", *_BUDGETS}}
    price = None if _takes(build, "price") else arguments.pop("price", None)
    wrong = _arguments(build, arguments, where)
    problems += wrong
    if wrong:
        return None
    given = {_GIVEN: crm} if _takes_crm(build) else {}
    enricher = _built(build, use, arguments | given, where, problems)
    return enricher if price is None or enricher is None else _priced(enricher, price, where, problems)


def _takes(build: Callable[..., object], name: str) -> bool:
    """Whether a constructor has an argument of this name, or takes any."""
    try:
        parameters = inspect.signature(build).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _priced(enricher: Enricher, price: object, where: str, problems: list[Problem]) -> Enricher | None:
    """The enricher at the price its entry states, which its constructor knows nothing of."""
    if isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < float("inf"):
        problems.append(Problem(where=f"{where}.price", what="is no number of credits"))
        return None
    try:
        enricher.price = float(price)
    except AttributeError:
        problems.append(Problem(where=f"{where}.price", what=f"the price of {enricher.name} is fixed"))
        return None
    return enricher


def _manifest(
    use: str, entry: Mapping[str, object], where: str, *, rehearsed: bool
) -> Callable[..., object] | None:
    """The constructor of a vendor that is a manifest, None of others. Raises ConfigError."""
    if use == REST:
        path = entry.get("manifest")
        if not isinstance(path, str) or not path:
            raise ConfigError([Problem(where=f"{where}.manifest", what="must name the vendor's YAML file")])
        return Building(path, "manifest", rehearsed=rehearsed)
    if use in BUILT_IN or use not in shipped():
        return None
    return Building(shipped()[use], rehearsed=rehearsed)


def _found(use: str) -> Callable[..., object]:
    """The constructor behind a name. Raises LookupError with the reason in words."""
    registered = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    try:
        if use in BUILT_IN:
            return cast(Callable[..., object], EntryPoint(use, BUILT_IN[use], ENTRY_POINTS).load())
        if use in registered:
            return cast(Callable[..., object], registered[use].load())
        module, colon, attribute = use.partition(":")
        if not colon:
            raise LookupError(f"there is no enricher '{use}'")
        build = getattr(import_module(module), attribute)
    except LookupError:
        raise
    except Exception as error:  # importing somebody's module may fail in any way
        raise LookupError(f"'{use}' cannot be imported: {error}") from error
    if not callable(build):
        raise LookupError(f"'{use}' is not a class")
    return cast(Callable[..., object], build)


def _arguments(build: Callable[..., object], given: Mapping[str, object], where: str) -> list[Problem]:
    """Every key the constructor does not take, and every one it needs and does not get."""
    try:
        parameters = inspect.signature(build).parameters
    except (TypeError, ValueError):
        return []
    named = [
        p.name
        for p in parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != _GIVEN
    ]
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [key for key in given if key not in named and not anything]
    missing = [
        name for name in named if parameters[name].default is inspect.Parameter.empty and name not in given
    ]
    return [
        *(
            Problem(
                where=f"{where}.{key}",
                what="unknown key",
                hint=_like(key, [*named, "price", *sorted(_BUDGETS)]),
            )
            for key in unknown
        ),
        *(Problem(where=f"{where}.{name}", what="is missing") for name in missing),
    ]


def _takes_crm(build: Callable[..., object]) -> bool:
    try:
        return _GIVEN in inspect.signature(build).parameters
    except (TypeError, ValueError):
        return False


def _built(
    build: Callable[..., object],
    use: str,
    arguments: Mapping[str, object],
    where: str,
    problems: list[Problem],
) -> Enricher | None:
    try:
        enricher = build(**arguments)
    except ConfigError as error:
        problems += [
            Problem(where=f"{where}: {p.where}", what=p.what, hint=p.hint or error.next_step)
            for p in error.problems
        ]
        return None
    except Exception as error:  # a constructor may refuse its arguments in its own way
        problems.append(Problem(where=where, what=f"'{use}' does not take these values: {error}"))
        return None
    lacking = [name for name in _PORT if not hasattr(enricher, name)]
    if lacking:
        problems.append(
            Problem(where=f"{where}.use", what=f"'{use}' is not an enricher: no {', '.join(lacking)}")
        )
        return None
    numbers = {name: getattr(enricher, name) for name in ("price", "ttl", "miss_ttl")}
    unfit = [n for n, v in numbers.items() if not isinstance(v, int | float) or not 0 <= v < float("inf")]
    if unfit:
        named = ", ".join(unfit)
        problems.append(Problem(where=f"{where}.use", what=f"'{use}' has no number of 0 or more as {named}"))
        return None
    if wrong := _unfit(enricher):
        problems += [Problem(where=f"{where}.use", what=f"'{use}' has {what}") for what in wrong]
        return None
    return cast(Enricher, enricher)


def _unfit(enricher: object) -> list[str]:
    """What is wrong with that which a source may say of itself."""
    wrong = []
    ttls = getattr(enricher, "ttls", None)
    if ttls is not None and not isinstance(ttls, Mapping):
        wrong.append("ttls that are no mapping of facts to seconds")
    elif bad := [fact for fact, seconds in (ttls or {}).items() if not _is_lifetime(seconds)]:
        wrong.append(f"no number of seconds as ttls of {', '.join(map(str, bad))}")
    for name in ("batch", "parallel"):
        said = getattr(enricher, name, 1)
        if isinstance(said, bool) or not isinstance(said, int) or said < 1:
            wrong.append(f"no whole number of 1 or more as {name}")
    return wrong


def _is_lifetime(seconds: object) -> bool:
    return not isinstance(seconds, bool) and isinstance(seconds, int | float) and 0 <= seconds < float("inf")


def _known() -> str:
    names = sorted({*BUILT_IN, *shipped(), REST, *(point.name for point in entry_points(group=ENTRY_POINTS))})
    return f"one of {', '.join(names)}, or package.module:Class"


def _near(use: str) -> str:
    names = [*BUILT_IN, *shipped(), REST, *(point.name for point in entry_points(group=ENTRY_POINTS))]
    return _like(use, names) or _known()


def _like(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}" if known else ""

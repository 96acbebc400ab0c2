"""A list of technologies, and by what each gives itself away on a page: YAML that anybody can extend.

Plain text only. A pattern of somebody's own could take a page hours to be matched with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from icp_sync.enrichers.page_seen import Seen
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.reading import Report, read, suggestion

SHIPPED = "fingerprints.yaml"
LARGEST_FILE = 1_000_000
SHORT_PAGE = 3_000
"""Characters a parked page has at most: a longer one that says "for sale" speaks of something else."""
_KEYS = ("urls", "generators", "headers", "cookies", "html", "also")
_PARKED = ("urls", "text")
_TOP = ("technologies", "parked")
_SHORTEST = 3  # of a text that is looked for anywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """One technology. What each part means stands at the beginning of the shipped file."""

    name: str
    urls: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    html: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def found(self, page: Seen) -> bool:
        """Whether the page gives it away, its addresses left out: `Fingerprints` looks those up at once."""
        return (
            any(made.startswith(self.generators) for made in page.generators)
            or any(name in page.headers and text in page.headers[name] for name, text in self.headers.items())
            or any(cookie.startswith(self.cookies) for cookie in page.cookies)
            or any(text in page.code for text in self.html)
        )


class Fingerprints:
    """Several lists as one; a later entry of a name takes the place of an earlier one."""

    def __init__(self, known: Iterable[Fingerprint], parked: Iterable[str], signs: Iterable[str]) -> None:
        self.known = {one.name: one for one in known}
        self._signs = tuple(signs)
        self._parked = _by_host((url, "") for url in parked)
        self._hosts = _by_host((url, one.name) for one in self.known.values() for url in one.urls)

    def technologies(self, page: Seen) -> frozenset[str]:
        """What the page gives away, and what follows from it."""
        found = set(_at(self._hosts, page)) | {one.name for one in self.known.values() if one.found(page)}
        waiting = list(found)
        while waiting:
            one = self.known.get(waiting.pop())
            fresh = set(one.also if one else ()) - found
            found |= fresh
            waiting += fresh
        return frozenset(found)

    def parked(self, page: Seen) -> bool:
        """Whether the page belongs to nobody yet, or to a dealer in names."""
        if any(sign in page.title for sign in self._signs) or any(True for _ in _at(self._parked, page)):
            return True
        return len(page.text) < SHORT_PAGE and any(sign in page.text for sign in self._signs)


_Hosts = Mapping[str, list[tuple[str, str]]]
"""Host → (beginning of the path, what it means)."""


def _by_host(urls: Iterable[tuple[str, str]]) -> _Hosts:
    found: dict[str, list[tuple[str, str]]] = {}
    for url, means in urls:
        host, slash, path = url.partition("/")
        found.setdefault(host, []).append((slash + path, means))
    return found


def _at(hosts: _Hosts, page: Seen) -> Iterator[str]:
    """What the addresses on a page mean; a host stands for those below it too."""
    for host, path in page.addresses:
        labels = host.split(".")
        for start in range(len(labels) - 1):
            for begins, means in hosts.get(".".join(labels[start:]), ()):
                if path.startswith(begins):
                    yield means


def load(own: str = "") -> Fingerprints:
    """The shipped list, and one's own file after it. Raises ConfigError with every problem at its place."""
    shipped = files("icp_sync.enrichers").joinpath("data", SHIPPED).read_text(encoding="utf-8")
    texts = [(shipped, SHIPPED)]
    if own:
        texts.append((_text(Path(own)), own))
    known: list[Fingerprint] = []
    parked: list[str] = []
    signs: list[str] = []
    for text, name in texts:
        report = Report(name)
        document = read(text, report)
        if document is not None:
            list_ = _List(report)
            known += list_.known(document)
            parked += list_.parked(document, "urls")
            signs += list_.parked(document, "text")
        if report.problems:
            raise ConfigError(report.ordered())
    return Fingerprints(known, parked, signs)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1).decode("utf-8")
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        why = "is no UTF-8 text"
    raise ConfigError([Problem(where=str(path), what=why, hint="fingerprints names a YAML file")])


class _List:
    """One document being read; what is wrong with it goes to the report."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def known(self, document: Any) -> Iterator[Fingerprint]:
        if not isinstance(document, dict) or not set(document) <= set(_TOP):
            self._unknown(document, (), _TOP)
        listed = document.get("technologies", {}) if isinstance(document, dict) else {}
        if not isinstance(listed, dict):
            self._report.value(("technologies",), "must name technologies, each with its traces")
            return
        for name, said in listed.items():
            path = ("technologies", name)
            if not isinstance(said, dict):
                self._report.value(path, f"must be a mapping of {', '.join(_KEYS)}")
                continue
            self._unknown(said, path, _KEYS)
            if not set(said) & set(_KEYS[:-1]):
                self._report.value(path, f"'{name}' has no trace it could be known by")
            yield Fingerprint(
                name=" ".join(str(name).lower().split()),
                headers=self._headers(said.get("headers", {}), path),
                **{key: self._texts(said, key, path) for key in _KEYS if key != "headers"},
            )

    def parked(self, document: Any, key: str) -> tuple[str, ...]:
        said = document.get("parked", {}) if isinstance(document, dict) else {}
        if not isinstance(said, dict):
            self._report.value(("parked",), "must have urls or text")
            return ()
        self._unknown(said, ("parked",), _PARKED)
        return self._texts(said, key, ("parked",))

    def _unknown(self, said: Any, path: tuple[str | int, ...], keys: tuple[str, ...]) -> None:
        if not isinstance(said, dict):
            self._report.value(path, f"must be a mapping of {', '.join(keys)}")
            return
        for key in said:
            if key not in keys:
                self._report.key((*path, key), f"unknown key '{key}'", suggestion(str(key), keys))

    def _texts(self, said: Mapping[Any, Any], key: str, path: tuple[str | int, ...]) -> tuple[str, ...]:
        value = said.get(key, [])
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if not isinstance(text, str) or len(text.strip()) < _SHORTEST:
                self._report.value((*path, key), f"must be text of {_SHORTEST} characters or more")
                return ()
        return tuple(_plain(text, key) for text in texts)

    def _headers(self, said: Any, path: tuple[str | int, ...]) -> dict[str, str]:
        if not isinstance(said, dict) or not all(isinstance(v, str) for v in said.values()):
            self._report.value((*path, "headers"), 'must map a header to the text it holds, "" for any')
            return {}
        return {str(name).lower(): text.lower() for name, text in said.items()}


def _plain(text: str, key: str) -> str:
    """As it is compared: in lower case; an address without its scheme."""
    text = text.strip().lower()
    return text.split("//", 1)[-1] if key == "urls" else text

"""`icp-sync profile document`: the profile as one page for people who do not read YAML."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import Config, ConnectionName, Files
from icp_sync.cli.output import precious
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.profile_file import Loaded


class Format(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journal:
    """What a journal adds: the active version with its files' texts, and accounts per tier."""

    version: int = 0
    texts: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


PAGES = (".html", ".htm", ".md", ".txt")


def register(family: typer.Typer) -> None:
    family.command("document")(document)


def document(
    files: Files = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="What to write; by the name of --out, else Markdown."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there instead of to the terminal.")
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
) -> None:
    """Say a profile on one page: who, must-haves, points, who not, timing, tiers, routing, evidence.

    Needs no CRM; with FILES, no settings either. Accounts per tier come from the journal, if there is one.
    """
    from icp_sync.cli.opening import candidates
    from icp_sync.cli.profile.page_html import html
    from icp_sync.cli.profile.page_markdown import markdown
    from icp_sync.profile_file import load_all
    from icp_sync.profile_file.document import Known
    from icp_sync.profile_file.document import document as page_of
    from icp_sync.profile_file.feeding import with_derived
    from icp_sync.reporting.profiles import fingerprint

    paths, types, sources = candidates(files, config, connection)
    journal = _journal(config, connection)
    pages = []
    for one in load_all(paths, types=types):
        known = Known(
            fingerprint=f"{one.path.name}, {fingerprint(one.text)}",
            version=_version(one, journal),
            counts=journal.counts,
            sources=with_derived(sources),
        )
        pages.append(page_of(one.profile, known))
    as_html = (form or _by_name(out)) is Format.HTML
    _write(html(pages) if as_html else markdown(pages), out, paths)


def _by_name(out: Path | None) -> Format:
    return Format.HTML if out is not None and out.suffix.lower() in {".html", ".htm"} else Format.MARKDOWN


def _journal(config: Path | None, connection: str | None) -> _Journal:
    """What the journal knows; nothing where there are no usable settings, or no journal was made yet."""
    from icp_sync.cli.opening import opened, read_settings

    try:
        url = read_settings(config, offline=True, only=()).journal
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
            return _Journal()
        with opened(config, connection) as at:
            active = at.journal.active()
            if active is None:
                return _Journal()
            texts = tuple(text for _, text in active[1])
            return _Journal(version=active[0], texts=texts, counts=at.journal.tiers())
    except ConfigError:
        return _Journal()


def _version(one: Loaded, journal: _Journal) -> str:
    if not journal.version:
        return ""
    if one.text in journal.texts:
        return f"{journal.version}, active"
    return f"a candidate; {journal.version} is active, and what the accounts are counted by"


def _write(text: str, out: Path | None, sources: list[Path]) -> None:
    """To a file whole or not at all, or to the terminal. Never over a profile it was made from."""
    from icp_sync.cli.rendering import note

    if out is None:
        sys.stdout.write(text)
        return
    if any(out.resolve() == path.resolve() for path in sources):
        problem = Problem(where=str(out), what="is the profile itself", hint="name another file")
        raise ConfigError([problem])
    if problems := precious(out, PAGES):
        raise ConfigError(problems)
    if out.is_dir():
        raise ConfigError([Problem(where=str(out), what="is a folder", hint="name a file in it")])
    beside = out.with_name(f".{out.name}.new")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(out)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ConfigError([Problem(where=str(out), what=f"cannot be written: {error.strerror}")]) from error
    note(f"Written: {out}")

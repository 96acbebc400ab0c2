"""`icp-sync journal forget ID`: erases all that the journal knows of one account."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Forgotten, Journal
    from icp_sync.reporting.opened import Opened

WHAT = "journal forget"


def register(family: typer.Typer) -> None:
    family.command("forget")(forget)


def forget(
    account: Annotated[
        str, typer.Argument(metavar="ID|DOMAIN", help="A record id, a domain, or a company's whole name.")
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, only say what would go.")] = False,
    note: Annotated[str, typer.Option("--note", help="Why, for the audit; do not name the company.")] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Erase all that the journal knows of an account.

    For good, its history included. While the CRM still holds the record, the next sweep reads it anew.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        account_id = _the_id(at.journal, account)
        known = at.journal.known_of(account_id)
        if known is None:
            raise ConfigError(
                [Problem(where=f"account '{account[:80]}'", what="the journal knows nothing of it")],
                next_step="icp-sync audit",
            )
        if apply:
            now, mark = time.time(), digest_of(at, account_id)
            at.journal.forget(account_id, now=now)
            counts = {**known.rows, "answers": known.answers}
            at.journal.audit(WHAT, who=who(), now=now, account=mark, rows=counts, note=note)
    told = _told(account_id, known, applied=apply)
    if as_json:
        document({"connection": at.name, **told})
    else:
        _show(Screen.here(), told)


def _the_id(journal: Journal, text: str) -> str:
    """The account this text means; an id of which only history is left stands for itself."""
    from icp_sync.cli.opening import one_account
    from icp_sync.normalize.domains import registrable

    known = journal.find(text) or journal.find(registrable(text))
    return one_account(journal, text) if known else text.strip()


def digest_of(at: Opened, account_id: str) -> str:
    """By what the audit knows a forgotten account; nobody can turn it back without the seal key, and it is ""
    while there is none."""
    from icp_sync.wiring import seal_key

    path = at.settings.seal_file
    return seal_key(path).digest(account_id, WHAT, "") if path.exists() else ""


def forgotten_at(at: Opened, account_id: str) -> float | None:
    """When an account was last forgotten by this command, None when it was not, as far as can be told."""
    mark = digest_of(at, account_id)
    entries = at.journal.audited() if mark else []
    times = [e.at for e in entries if e.what == WHAT and e.detail.get("account") == mark]
    return max(times, default=None)


def _told(account_id: str, known: Forgotten, *, applied: bool) -> dict[str, Any]:
    return {
        "account": account_id,
        "applied": applied,
        "ids": list(known.ids),
        "rows": {name: n for name, n in known.rows.items() if n},
        "answers": known.answers,
        "in_the_crm": [name for name in known.ours if name != "seal"],
        "seal_in_the_crm": "seal" in known.ours,
        "audit_entries": known.audited,
    }


def _show(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.reporting.text import counted

    did = "erased" if told["applied"] else "would be erased"
    rows = [(name.replace("_", " "), f"{n:,}") for name, n in told["rows"].items()]
    if told["answers"]:
        rows.append(("answer", f"{told['answers']:,}"))
    screen.say(f"Of account {told['account']}, {did}:", "bold")
    screen.table(["what", "rows"], rows, right=(1,))
    merged = [account_id for account_id in told["ids"] if account_id != told["account"]]
    if merged:
        screen.say(f"with what was merged into it: {', '.join(merged)}")
    screen.heading("What stays")
    fields = told["in_the_crm"]
    if fields or told["seal_in_the_crm"]:
        seal = " and the seal, by which we know them as ours" if told["seal_in_the_crm"] else ""
        screen.say(f"  in the CRM, as far as is known: {', '.join(fields) or 'no value of ours'}{seal}")
        screen.say("  delete the record there, or the next sweep reads it anew")
    if told["audit_entries"]:
        entries = counted(told["audit_entries"], "entry of the audit", "entries of the audit")
        screen.say(f"  {entries} with its id: the audit is append-only")
    screen.say("  backups and exports made before")
    if not told["applied"]:
        screen.say(f"Nothing was erased. To do it: icp-sync journal forget {told['account']} --apply")

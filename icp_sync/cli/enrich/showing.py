"""What `icp-sync enrich` asked and learned, for people and as JSON. Decides and asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

FACTS = 6
"""Facts of one question that are named."""


def readable(told: Mapping[str, Any]) -> dict[str, Any]:
    """What `sync.inquiry` answers, with disagreements as explain has them."""
    from icp_sync.cli.explain.differing import disagreement_rows
    from icp_sync.domain.disagreement import from_json

    if "disagreements" not in told:
        return dict(told)
    rows = disagreement_rows(from_json(told["disagreements"]))
    return {**told, "disagreements": [asdict(row) for row in rows]}


def show(screen: Screen, told: Mapping[str, Any]) -> None:
    if "account" in told:
        show_one(screen, told)
    else:
        show_all(screen, told)


def show_one(screen: Screen, told: Mapping[str, Any]) -> None:
    """One account or company: why ask, who answered, what came of it."""
    from icp_sync.cli.explain.differing import disagreement_rows, show_disagreements
    from icp_sync.cli.text import amount
    from icp_sync.domain.disagreement import from_json

    account = told["account"]
    known = account["id"] or "no account"
    screen.say(
        f"{account['name'] or account['domain']} · {account['domain'] or 'no domain'} · {known}", "bold"
    )
    screen.say(f"{_standing(told['before'])}.")
    _show_worth(screen, told)
    if told["apply"]:
        _show_learned(screen, told)
        show_disagreements(screen, disagreement_rows(from_json(told["disagreements"])))
        if told["before"] != told["after"]:
            screen.say(f"Now {_standing(told['after'])}; before, {_standing(told['before'])}.")
        screen.say(f"Spent: {amount(sum(told['credits'].values()))} credits.")
        if account["id"] and told["asked"]:
            screen.say("The account is due: a running worker settles it; without one: icp-sync run --once")
    else:
        screen.say(_forecast(told))
        screen.say("Nothing was asked and nothing was bought.")


def _standing(standing: Mapping[str, Any]) -> str:
    if not standing["in_scope"]:
        return "outside the profile's scope"
    low, high = standing["low"], standing["high"]
    span = f" in {low}–{high}" if low != high else ""
    return f"{standing['tier']}, {standing['certainty']}, score {standing['score']}{span}"


def _show_worth(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.cli.text import amount

    if not told["worth"]:
        screen.say(f"Nothing is worth asking: {told['nothing']}.")
        return
    forced = any(ask["chance"] is None for ask in told["worth"])
    screen.heading("Asked whatever it is worth" if forced else "Worth asking, the best first")
    rows = [
        (
            ask["vendor"],
            _facts(ask["facts"]),
            "" if ask["chance"] is None else f"{ask['chance']:.0%}",
            amount(round(ask["credits"], 2)),
            amount(ask["credits_most"]),
            told["outcomes"].get(ask["vendor"], ""),
        )
        for ask in told["worth"]
    ]
    decides = "facts" if forced else "facts, and how often each decides"
    heads = ["vendor", decides, "chance", "credits", "at most", "what it said"]
    screen.table(heads, rows, right=(2, 3, 4), whole=(0,))


def _facts(facts: Mapping[str, float | None]) -> str:
    from icp_sync.domain.spelling import fact_text

    some = [
        fact_text(name) + ("" if chance is None else f" {chance:.0%}")
        for name, chance in list(facts.items())[:FACTS]
    ]
    return ", ".join(some) + (f" and {len(facts) - FACTS} more" if len(facts) > FACTS else "")


def _show_learned(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.cli.text import day, short
    from icp_sync.domain.spelling import fact_text

    others = {
        n: said for n, said in told["outcomes"].items() if n not in {a["vendor"] for a in told["worth"]}
    }
    for name, said in others.items():
        screen.say(f"{name}: {said}")
    if not told["learned"]:
        return
    screen.heading("Learned")
    rows = [
        (
            fact_text(one["fact"]),
            short(one["text"], 60),
            one["source"],
            "counts" if one["won"] else f"does not count against {short(one['against'], 60)}",
            day(one["until"]) if one["until"] is not None else "",
        )
        for one in told["learned"]
    ]
    screen.table(["fact", "value", "source", "", "valid until"], rows)


def show_all(screen: Screen, told: Mapping[str, Any]) -> None:
    """All accounts: how many lack what, what it cost or would."""
    from icp_sync.cli.text import counted

    read, wanting = counted(told["accounts"], "account"), told["wanting"]
    screen.say(f"{read} read; a fact that could be bought may still change {wanting:,} of them.", "bold")
    _show_vendors(screen, told)
    if not told["apply"]:
        screen.say(_forecast(told))
        screen.say("Nothing was asked and nothing was bought.")
        return
    screen.say(f"Something was learned about {counted(told['told'], 'account')}.")
    for moved, n in told["moved"].items():
        screen.say(f"{moved}: {n:,}")
    if told["asked"]:
        screen.say("They are due: a running worker settles them; without one: icp-sync run --once")


def _show_vendors(screen: Screen, told: Mapping[str, Any]) -> None:
    """A line for each that was asked, or would be."""
    from icp_sync.cli.text import amount

    names = list(dict.fromkeys([*told["asked"], *told["credits"], *told["over_budget"]]))
    heads = ["vendor", "requests at first", "credits", "at most"]
    columns: tuple[str, ...] = ("asked", "credits", "credits_most")
    if told["apply"]:
        heads = ["vendor", "requests", "hits", "credits", "beyond budget"]
        columns = ("asked", "hits", "credits", "over_budget")
    rows = [(name, *(amount(round(told[column].get(name, 0), 1)) for column in columns)) for name in names]
    if rows:
        screen.table(heads, rows, right=range(1, len(heads)), whole=(0,))


def _forecast(told: Mapping[str, Any]) -> str:
    from icp_sync.cli.plan.buying import forecast_words

    return forecast_words(
        *(sum(told[name].values()) for name in ("credits", "credits_most", "credits_everything"))
    )

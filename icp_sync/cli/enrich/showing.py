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
    from icp_sync.domain.disagreement import from_json
    from icp_sync.reporting.explain.differing import disagreement_rows

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
    from icp_sync.cli.explain.showing import show_disagreements
    from icp_sync.domain.disagreement import from_json
    from icp_sync.reporting.explain.differing import disagreement_rows

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
        screen.say(_spent(told))
        if account["id"] and told["asked"]:
            screen.say("The account is due: a running worker settles it; without one: icp-sync run --once")
    else:
        _show_forecast(screen, told)


def _spent(told: Mapping[str, Any]) -> str:
    """ "Spent: 2 credits.", with what was sent and perhaps paid."""
    from icp_sync.reporting.text import credits

    sure, perhaps = (sum(told[name].values()) for name in ("credits", "credits_perhaps"))
    if not perhaps:
        return f"Spent: {credits(sure)}."
    more = f"{credits(sure)}, and perhaps {credits(perhaps)}" if sure else f"perhaps {credits(perhaps)}"
    return f"Spent: {more}: what of a request is not known yet stays counted at its price."


def _standing(standing: Mapping[str, Any]) -> str:
    if not standing["in_scope"]:
        return "outside the profile's scope"
    low, high = standing["low"], standing["high"]
    span = f" in {low}–{high}" if low != high else ""
    return f"{standing['tier']}, {standing['certainty']}, score {standing['score']}{span}"


def _show_worth(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.reporting.text import amount

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
    heads = ["vendor", "facts", "chance", "credits", "at most", "what it said"]
    shown = [at for at in range(len(heads)) if at < 2 or any(row[at] for row in rows)]
    right = [new for new, at in enumerate(shown) if at in (2, 3, 4)]
    cells = [[row[at] for at in shown] for row in rows]
    screen.table([heads[at] for at in shown], cells, right=right, whole=(0,))
    if not forced:
        screen.say("chance: how likely what it says changes the tier, a flag or the route.")


def _facts(facts: Mapping[str, float | None]) -> str:
    from icp_sync.domain.spelling import fact_text

    some = [fact_text(name) for name in list(facts)[:FACTS]]
    return ", ".join(some) + (f" and {len(facts) - FACTS} more" if len(facts) > FACTS else "")


def _show_learned(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.domain.spelling import fact_text
    from icp_sync.reporting.text import day, short

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
            _fate(one),
            day(one["until"]) if one["until"] is not None else "",
        )
        for one in told["learned"]
    ]
    screen.table(["fact", "value", "source", "", "valid until"], rows)


def _fate(one: Mapping[str, Any]) -> str:
    """What became of a value; results kept by an earlier version say nothing of agreement."""
    from icp_sync.reporting.text import short

    if one["won"]:
        return "counts"
    if one.get("agrees"):
        return "agrees with what counts"
    return f"does not count against {short(one['against'], 60)}" if one["against"] else "does not count"


def show_all(screen: Screen, told: Mapping[str, Any]) -> None:
    """All accounts: how many lack what, what it cost or would."""
    from icp_sync.reporting.text import counted

    read, wanting = counted(told["accounts"], "account"), told["wanting"]
    screen.say(f"{read} read; a fact that could be bought may still change {wanting:,} of them.", "bold")
    _show_vendors(screen, told)
    if not told["apply"]:
        _show_forecast(screen, told)
        return
    screen.say(_spent(told))
    screen.say(f"Something was learned about {counted(told['told'], 'account')}.")
    for moved, n in told["moved"].items():
        screen.say(f"{moved}: {n:,}")
    if told["asked"]:
        screen.say("They are due: a running worker settles them; without one: icp-sync run --once")


def _show_vendors(screen: Screen, told: Mapping[str, Any]) -> None:
    """A line for each that was asked, or would be."""
    from icp_sync.reporting.text import amount

    names = list(dict.fromkeys([*told["asked"], *told["credits"], *told["over_budget"]]))
    heads = ["vendor", "requests", "credits", "at most"]
    columns: tuple[str, ...] = ("asked", "credits", "credits_most")
    if told["apply"]:
        heads = ["vendor", "requests", "hits", "credits", "beyond budget"]
        columns = ("asked", "hits", "credits", "over_budget")
    rows = [(name, *(amount(round(told[column].get(name, 0), 1)) for column in columns)) for name in names]
    if rows:
        screen.table(heads, rows, right=range(1, len(heads)), whole=(0,))


def _show_forecast(screen: Screen, told: Mapping[str, Any]) -> None:
    """What it would cost, within the budgets, and who would not be asked now."""
    from icp_sync.cli.plan.buying import forecast, forecast_words, left_alone_words

    for name, state in told["left_alone"].items():
        screen.say(left_alone_words(name, state))
    if told.get("wanting", True) or any(told["credits_most"].values()):
        names = ("credits", "credits_most", "credits_everything", "budgets_left")
        screen.say(forecast_words(forecast(*(told[name] for name in names))))
    screen.say("Nothing was asked and nothing was bought.")


def show_keys(screen: Screen, told: Mapping[str, Any], keys: Mapping[str, tuple[str, ...]]) -> None:
    """For sources that refused: where their keys come from, and how they are tried again."""
    about = told["account"]["id"] or told["account"]["domain"] if "account" in told else "ID"
    for name, places in keys.items():
        held = f"its key is {' and '.join(places)}; " if places else ""
        screen.say(f"{name}: {held}once that is mended: icp-sync enrich {about} --vendor {name}", "yellow")

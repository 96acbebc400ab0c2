"""Whom a fact is bought from, in which order, and when nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.buying import Budgets, Buy, Buying, Rule, Stop
from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import FactValue, Interval, Members, choice, number
from icp_sync.domain.profile import DAY, Effect, Flag
from icp_sync.domain.standing import Mode
from icp_sync.ports import Hit, Pending, Request, Unavailable
from icp_sync.sync.cycle import Scope
from tests.sync.world import PROFILE, Vendor, World, without

SIZE, TRADE = frozenset({"employees"}), frozenset({"industry"})
BOTH = SIZE | TRADE
FULL: Mapping[str, FactValue] = {"employees": number(100), "industry": choice("SOFTWARE")}
AT_ANY_PRICE = Buying(change_worth=inf)
DRY = Scope(apply=False)


def vendor(name: str, facts: frozenset[str] = BOTH, price: float = 1.0, **told: FactValue) -> Vendor:
    """A source that knows acme.com, and tells this of it."""
    return Vendor(name=name, book={"acme.com": told}, facts=facts, price=price)


def world(tmp_path: Path, *vendors: Vendor, buying: Buying = AT_ANY_PRICE) -> World:
    return World(folder=tmp_path, enrichers=vendors, buying=buying)


def test_the_order_of_a_fact_is_its_own(tmp_path: Path) -> None:
    a, b = vendor("a", SIZE, employees=number(9_000)), vendor("b", SIZE, employees=number(100))
    buying = Buying(rules={"employees": Rule(order=("b", "a"))}, change_worth=inf)
    here = world(tmp_path, a, b, buying=buying)
    acme = here.company(domain="acme.com", industry="SOFTWARE")
    here.backfill()
    assert (a.asked, b.asked, here.live(acme)["tier"]) == ([], ["acme.com"], "A")


def test_an_order_of_the_settings_that_is_changed_counts_for_what_was_bought_before(tmp_path: Path) -> None:
    a, b = (
        vendor("a", SIZE, employees=number(100)),
        vendor("b", BOTH, **(FULL | {"employees": number(5_000)})),
    )
    everything = Buying(mode=Buy.EVERYTHING, sources=("a", "b"))
    here = world(tmp_path, a, b, buying=everything)
    acme = here.company(domain="acme.com")
    here.backfill()
    first = here.live(acme)["tier"]
    here.enrichers, here.buying = (b, a), Buying(sources=("b", "a"))
    here.backfill()
    assert (first, here.live(acme)["tier"]) == ("A", "C")


def test_a_source_that_is_not_in_the_order_is_not_asked_and_outranks_nobody(tmp_path: Path) -> None:
    a = vendor("a", employees=number(9_000), industry=choice("SOFTWARE"))
    b = vendor("b", SIZE, employees=number(100))
    here = world(tmp_path, a, b, buying=Buying(rules={"employees": Rule(order=("b",))}, change_worth=inf))
    acme = here.company(domain="acme.com")
    here.backfill()
    assert (a.asked, b.asked, here.live(acme)["tier"]) == (["acme.com"], ["acme.com"], "A")


@pytest.mark.parametrize(("stop", "asked"), [(Stop.FIRST, []), (Stop.ALL, ["acme.com"])])
def test_one_value_is_enough_unless_everybody_is_to_be_heard(
    tmp_path: Path, stop: Stop, asked: list[str]
) -> None:
    a, b = vendor("a", SIZE, employees=number(100)), vendor("b", SIZE, employees=number(9_000))
    here = world(tmp_path, a, b, buying=Buying(rules={"employees": Rule(stop=stop)}, change_worth=inf))
    acme = here.company(domain="acme.com", industry="SOFTWARE")
    here.backfill()
    assert (a.asked, b.asked, here.live(acme)["tier"]) == (["acme.com"], asked, "A")


def test_a_value_below_the_floor_does_not_count_and_the_next_source_is_asked(tmp_path: Path) -> None:
    def unsure(request: Request) -> Hit:
        (signal,) = vendor("a", SIZE, employees=number(9_000)).answer([request])[0].signals  # type: ignore[union-attr]
        return Hit(signals=(type(signal)(**{**_fields(signal), "confidence": 0.3}),), charge=1.0)

    a, b = vendor("a", SIZE), vendor("b", SIZE, employees=number(100))
    a.instead = unsure
    here = world(tmp_path, a, b, buying=Buying(rules={"employees": Rule(floor=0.5)}, change_worth=inf))
    acme = here.company(domain="acme.com", industry="SOFTWARE")
    here.backfill()
    assert (a.asked, b.asked, here.live(acme)["tier"]) == (["acme.com"], ["acme.com"], "A")
    here.clock.step(DAY)
    assert here.backfill().written == 0


def _fields(signal: object) -> dict[str, object]:
    return {name: getattr(signal, name) for name in type(signal).__slots__}  # type: ignore[attr-defined]


def test_what_costs_nothing_is_asked_first(tmp_path: Path) -> None:
    dear = vendor("dear", BOTH, 5.0, **FULL)
    free = vendor("free", TRADE, 0.0, industry=choice("RETAIL"))
    here = world(tmp_path, dear, free, buying=Buying(rules={"industry": Rule(order=("free", "dear"))}))
    here.company(
        domain="acme.com", employees=5_000
    )  # 0 of 60 points: without software it is a D whatever else
    here.backfill()
    assert (free.asked, dear.asked) == (["acme.com"], [])


def test_nobody_is_asked_for_what_can_change_the_score_and_nothing_else(tmp_path: Path) -> None:
    """The band alone keeps the coverage too low for any tier, whatever the industry is."""
    source = vendor("a", TRADE, industry=choice("SOFTWARE"))
    here = world(tmp_path, source)
    acme = here.company(domain="acme.com", employees=(400, 700))
    here.backfill()
    assert (source.asked, here.live(acme)["tier"]) == ([], "Needs data")


def test_a_flag_that_only_marks_is_worth_asking_for(tmp_path: Path) -> None:
    source = vendor("a", frozenset({"business_model"}), business_model=Members(frozenset({"agency"}), True))
    here = world(tmp_path, source)
    acme = here.company(domain="acme.com", **FULL_CRM)
    here.backfill()
    assert (source.asked, here.live(acme)["flags"]) == (["acme.com"], "Agency")


FULL_CRM = {"employees": 100, "industry": "SOFTWARE"}


def test_a_company_we_do_not_sell_to_costs_nothing(tmp_path: Path) -> None:
    retail = AnyOf(fact="industry", values=frozenset({"RETAIL"}))
    banned = Flag(name="Retail", when=retail, effect=Effect.EXCLUDE)
    source = vendor("a", BOTH, **FULL)
    here = World(folder=tmp_path, enrichers=(source,), profile=without(PROFILE, flags=(banned,)))
    acme = here.company(domain="acme.com", industry="RETAIL")
    here.backfill()
    assert (source.asked, here.live(acme)["tier"]) == ([], "Not ICP")


def test_what_is_not_worth_its_price_is_not_bought(tmp_path: Path) -> None:
    source = vendor("a", SIZE, price=20.0, employees=number(100))
    here = world(tmp_path, source, buying=Buying(change_worth=1.0))
    here.company(domain="acme.com", industry="SOFTWARE")
    here.backfill()
    assert source.asked == []


def test_while_nothing_is_written_only_free_sources_are_asked(tmp_path: Path) -> None:
    paid, free = vendor("paid", **FULL), vendor("free", TRADE, 0.0, industry=choice("SOFTWARE"))
    here = World(folder=tmp_path, enrichers=(paid, free), mode=Mode.OBSERVE)
    here.company(domain="acme.com", employees=100)
    here.backfill()
    assert (paid.asked, free.asked) == ([], ["acme.com"])


def test_what_was_told_while_nothing_was_bought_ranks_by_the_whole_order_later(tmp_path: Path) -> None:
    paid = vendor("a", SIZE, employees=number(100))
    free = vendor("z", BOTH, 0.0, employees=number(5_000), industry=choice("SOFTWARE"))
    here = World(folder=tmp_path, enrichers=(paid, free), mode=Mode.OBSERVE)
    here.company(domain="acme.com")
    here.backfill()
    recalled = here.journal.recall({"1": "acme.com"}, now=here.clock()).of("1").signals
    assert {signal.rank for signal in recalled} == {20}


def test_an_order_that_was_paid_is_fetched_although_nothing_is_bought_any_more(tmp_path: Path) -> None:
    slow = vendor("slow", **FULL)
    slow.instead = lambda request: None if request.job else Pending(job="j1", retry_after=60.0, charge=1.0)
    here = world(tmp_path, slow)
    acme = here.company(domain="acme.com")
    here.backfill()
    here.buying = Buying(mode=Buy.NOTHING)
    here.clock.step(1_000)
    here.due()
    assert (slow.asked, here.live(acme)["tier"]) == (["acme.com", "acme.com"], "A")


def test_a_source_that_asks_for_patience_keeps_nobody_from_asking_others(tmp_path: Path) -> None:
    slow = vendor("slow", frozenset({"business_model"}), 0.0)
    slow.instead = lambda _: Unavailable(kind="throttled", retry_after=60.0)
    here = world(tmp_path, slow, vendor("paid", **FULL))
    acme = here.company(domain="acme.com")
    here.backfill()
    assert here.live(acme)["tier"] == "A"


def test_a_dearer_source_waits_while_a_cheaper_one_will_answer_soon(tmp_path: Path) -> None:
    cheap, dear = vendor("cheap", SIZE, employees=number(100)), vendor("dear", BOTH, 9.0, **FULL)
    cheap.instead = lambda _: Unavailable(kind="throttled", retry_after=60.0)
    here = world(tmp_path, cheap, dear)
    acme = here.company(domain="acme.com")
    here.backfill()
    assert dear.asked == []
    for _ in range(4):  # its patience has an end
        here.clock.step(1_000)
        here.due()
    assert (dear.asked, here.live(acme)["tier"]) == (["acme.com"], "A")


def test_a_source_that_is_asked_again_takes_back_what_it_said_at_once(tmp_path: Path) -> None:
    source = vendor("a", **FULL)
    rules = {"employees": Rule(ttl=DAY), "industry": Rule(ttl=90 * DAY)}
    here = world(tmp_path, source, buying=Buying(rules=rules, change_worth=inf))
    acme = here.company(domain="acme.com")
    here.backfill()
    source.book = {"acme.com": {"employees": number(5_000), "industry": choice("RETAIL")}}
    here.clock.step(DAY + 1)
    here.due()
    first = here.live(acme)["fit_score"]
    here.backfill()
    assert (len(source.asked), first, here.live(acme)["fit_score"]) == (2, "0", "0")


def test_a_fact_a_source_lacked_is_asked_of_it_again_like_a_miss(tmp_path: Path) -> None:
    source = vendor("a", BOTH, industry=choice("SOFTWARE"))
    source.ttl, source.miss_ttl = 365 * DAY, 7 * DAY
    here = world(tmp_path, source)
    acme = here.company(domain="acme.com")
    here.backfill()
    source.book = {"acme.com": FULL}
    here.clock.step(6 * DAY)
    here.backfill()
    assert len(source.asked) == 1
    here.clock.step(2 * DAY)
    here.due()
    assert (len(source.asked), here.live(acme)["tier"]) == (2, "A")


def test_a_forecast_is_what_is_spent_and_never_more_than_at_most(tmp_path: Path) -> None:
    """Two sources, two facts, both needed of everybody; everything they are asked they know."""
    a, b = Vendor(name="a", facts=SIZE, price=1.0), Vendor(name="b", facts=TRADE, price=10.0)
    here = world(tmp_path, a, b)
    for page in range(2):
        for n in range(40):
            a.book = {**a.book, f"{page}-{n}.com": {"employees": number(100)}}
            b.book = {**b.book, f"{page}-{n}.com": {"industry": choice("SOFTWARE")}}
            here.company(domain=f"{page}-{n}.com")
        asked = len(a.asked)
        dry = here.backfill(DRY)
        assert len(a.asked) == asked
        total = sum(here.backfill().credits.values())
        expected, most = sum(dry.credits.values()), sum(dry.credits_most.values())
        assert total == 440
        assert expected <= total <= most
    assert expected == total, "what was told of forty others is known by now"


def test_a_forecast_knows_what_one_company_may_cost(tmp_path: Path) -> None:
    here = world(tmp_path, vendor("a", price=10.0), buying=Buying(budgets=Budgets(account=5.0)))
    here.company(domain="acme.com")
    dry = here.backfill(DRY)
    assert (sum(dry.credits.values()), sum(dry.credits_most.values())) == (0, 0)
    assert sum(here.backfill().credits.values()) == 0


sizes = st.none() | st.sampled_from([5, 40, 100, 600, 5_000, (20, 80), (51, 200), (400, 900)])
trades = st.sampled_from(["", "SOFTWARE", "RETAIL"])
known = st.tuples(sizes, trades, st.sampled_from(["", "agency"]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(known, st.lists(known, min_size=3, max_size=3)), min_size=1, max_size=5),
    st.permutations(["a", "b", "c"]),
)
def test_at_any_price_the_tiers_flags_and_routes_are_those_of_buying_everything(companies, names) -> None:
    told = {}
    for buying in (AT_ANY_PRICE, Buying(mode=Buy.EVERYTHING)):
        with TemporaryDirectory() as folder:
            vendors = [Vendor(name=name, facts=BOTH | {"business_model"}) for name in names]
            here = World(folder=Path(folder), enrichers=vendors, buying=buying)
            ids = []
            for n, (crm, books) in enumerate(companies):
                for one, book in zip(vendors, books, strict=True):
                    one.book = {**one.book, f"{n}.com": _told(*book)}
                size, trade, model = crm
                ids.append(
                    here.company(domain=f"{n}.com", employees=size, industry=trade, business_model=model)
                )
            here.backfill()
            told[buying.mode] = [{name: here.live(id)[name] for name in SAME} for id in ids]
            here.journal.close()
    assert told[Buy.VALUE] == told[Buy.EVERYTHING]


SAME = ("tier", "flags", "lane", "owner")


def _told(size: object, trade: str, model: str) -> dict[str, FactValue]:
    said: dict[str, FactValue] = {}
    if size is not None:
        said["employees"] = Interval(*map(float, size)) if isinstance(size, tuple) else number(float(size))  # type: ignore[arg-type]
    if trade:
        said["industry"] = choice(trade)
    if model:
        said["business_model"] = Members(frozenset({model}), False)
    return said

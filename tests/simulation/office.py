"""The whole office: what operators do beside everybody else, and the judgement of what stands in the CRM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from icp_sync.domain.profile import Tiers
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, UnsafePlanError
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.plan_file import Drawn, PlanFile, apply, read_plan
from icp_sync.sync.plan_file.binding import header
from icp_sync.sync.plan_file.document import PlanWriter
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests.simulation.company import SHOWN, Company, Hold
from tests.simulation.connected import EDITORS
from tests.simulation.oracle import DAY, calm_tiers, fit
from tests.simulation.people import People
from tests.simulation.referee import BrokenPromise, Landed
from tests.sync.world import ANNA, BEN, PROFILE

CLEARED = 30 * DAY


class Office(People):
    """Who calls its verbs in which order is up to the caller; `judge` is for right after `rest`."""

    def activate(self, **changes: object) -> None:
        """Another version of the profile, rolled out by a backfill."""
        self.shape = replace(self.shape, version=self.shape.version + 1, **changes)  # type: ignore[arg-type]
        weights = (self.shape.size, self.shape.trade)
        criteria = tuple(replace(c, weight=w) for c, w in zip(PROFILE.criteria, weights, strict=True))
        tiers = Tiers(a=self.shape.a, b=self.shape.b, c=self.shape.c)
        self.world.profile = replace(PROFILE, criteria=criteria, tiers=tiers)
        self.world.version = self.shape.version
        for company in self.companies.values():
            self.touch(company)
        self.world.journal.activate(self.documents, now=self.clock())
        self.roll_out(restart=True)

    def draw_plan(self) -> None:
        """A dry run of everything into a file, to be applied whenever somebody gets to it."""
        parts = self.world.parts()
        made = header(parts, self.documents, self.shape.version, Mode.ROUTE, author="ada@desk")
        path = self.world.folder / f"plan{len(self.plans)}.json"

        def draw() -> None:
            with path.open("w", encoding="ascii") as stream:
                writer = PlanWriter(stream, made)
                report = Drawn(writer.row)
                cycle(Stream.BACKFILL, parts, Scope(apply=False, restart=True, report=report))
                writer.end({"guard": report.guarded.to_json()})
            self.plans.append(read_plan(path))

        self._guarded(draw)

    def apply_plan(self, plan: PlanFile) -> None:
        """Applied as it stands, refused where the profile is another by now. What it writes is what is asked
        for, so nothing of it stays undone."""
        self.referee.acting = "apply"
        try:
            self._guarded(lambda: apply(plan, self.world.parts(holder="apply"), by="bob@desk"))
            self.happened["applied"] += 1
        except (ConfigError, UnsafePlanError):
            self.happened["not applied"] += 1
        finally:
            self.referee.acting = "stream"
        for row in plan.rows():
            if (company := self.companies.get(row.id)) and company.undone:
                company.loose.update(company.undone)
                company.undone.clear()

    def release(self) -> None:
        """Somebody looks at what is held and lets it pass."""
        held = [hold for hold in self.world.journal.holds() if not hold.released_by]
        self.referee.freed |= {hold.account_id for hold in held}
        self.happened["released"] += self.world.journal.release_holds(by="ada@desk", now=self.clock())

    def undo(self, run: str, fields: Sequence[str] = (), *, crash: int = 0) -> None:
        """Undo a run of ours; crash: at which fault point the first attempt dies, 0 for none."""
        if self.down:
            return  # a command would say so
        wanted = Wanted(run=run, fields=tuple(fields), by="ada@desk")
        self.pass_time(60)
        before = len(self.referee.log)
        ours = self._expected_back(self.runs[run], fields)
        self.referee.acting = "undo"
        try:
            if crash:
                self._dying(crash, lambda: undo(wanted, self.world.parts(holder="undo"), Scope()))
            report = undo(wanted, self.world.parts(holder="undo"), Scope())
        except ConfigError:
            self.happened["not undone"] += 1
            return
        finally:
            self.referee.acting = "stream"
        self.happened["undone"] += 1
        if report.left:  # the CRM did not take all of it: as it stands now, or as undone when asked again
            self.happened["undone in part"] += 1
            for one in ours:
                company = self.companies[one.account_id]
                company.loose.update(SHOWN)
                company.unsure.add(one.field)
                company.undone.clear()
                company.keeps_owner = True
            return
        self.runs[report.undo] = self.referee.log[before:]
        kind = self.world.journal.run(run)
        self._take_note(ours, lifts=kind is not None and kind.kind == "undo")

    def _expected_back(self, run: Sequence[Landed], fields: Sequence[str]) -> list[Landed]:
        """What a run wrote that still stands as ours, each with the value the run found first."""
        first: dict[tuple[str, str], Landed] = {}
        for one in run:
            if one.field != "seal" and (not fields or one.field in fields):
                first.setdefault((one.account_id, one.field), one)
        there = set(self.crm.ids)
        return [
            one
            for one in first.values()
            if one.account_id in there and self.companies[one.account_id].hand.get(one.field) == "ours"
        ]

    def _take_note(self, ours: Sequence[Landed], *, lifts: bool) -> None:
        now = self.clock()
        for one in ours:
            company = self.companies[one.account_id]
            live = self.crm.account(one.account_id).live
            if one.field not in live or one.field in company.unsure or company.held(one.field, now):
                continue
            value = live[one.field]
            if one.field in ("owner", "routed_owner", "routed_at"):
                company.keeps_owner = True
                continue
            if value != one.before:
                raise BrokenPromise(f"{one.account_id}: {one.field} is {value!r}, undone to {one.before!r}")
            strict = not lifts and company.book is None and not company.decided(now) and not company.loose
            strict = strict and not (calm_tiers(fit(company.truth, self.shape), self.shape))
            if one.hand == "people":
                company.holds[one.field] = Hold(
                    value=value, until=now + EDITORS[""]
                )  # theirs again, from now
                company.hand[one.field] = "people"
                company.loose.add(one.field)  # once that is over, ours stays withdrawn
                if one.field == "tier":
                    company.changed = now
                    company.loose.update(company.undone)
                    company.undone.clear()
            elif one.field not in SHOWN:
                continue
            elif strict and one.field not in company.holds:
                company.undone[one.field] = one.before
            else:
                company.loose.update(SHOWN)
                company.undone.clear()

    # What must hold

    def judge(self, *, swept: bool = False) -> None:
        """Compare everything in the CRM with the oracle. Right after `rest`."""
        now = self.clock()
        held = {hold.account_id for hold in self.world.journal.holds()}
        broken = []
        for account_id in self.crm.ids:
            company = self.companies[account_id]
            live = dict(self.crm.account(account_id).live)
            if account_id not in held:
                broken += [f"{account_id}: {what}" for what in company.wrong(live, self.shape, now)]
            broken += [f"{account_id}: {what}" for what in self._owner(company, live, now, held, swept)]
        recount = Counter(
            account.owner
            for account_id in self.crm.ids
            if (account := self.crm.account(account_id)).owner and self.companies[account_id].truth.prospect
        )
        loads = {owner: n for owner, n in self.world.journal.recall({}, now=now).roster.loads.items() if n}
        if swept and loads != recount:
            broken.append(f"the loads are {loads}, a recount gives {dict(recount)}")
        if broken:
            raise BrokenPromise("; ".join(broken[:8]))

    def _owner(
        self, company: Company, live: dict[str, str], now: float, held: set[str], swept: bool
    ) -> list[str]:
        owner = live["owner"]
        if company.owner:
            return [] if owner == company.owner else [f"owned by {owner!r}, given to {company.owner!r}"]
        if company.owner == "" and now < company.cleared_at + CLEARED:
            return [f"owned by {owner!r}, cleared by somebody"] if owner else []
        if owner in (ANNA, BEN):
            return []
        if owner:
            return [f"owned by {owner!r}, whom nobody gave it to"]
        waits = company.id in held or company.keeps_owner or company.owner == ""
        wanted = live["lane"] == "sales" and "lane" not in company.holds and company.truth.prospect
        away = not all(o.active for o in self.crm.owners())
        free = swept and wanted and not waits and not away and not company.loose
        return ["owned by nobody, though its lane is sales"] if free and not company.unsure else []

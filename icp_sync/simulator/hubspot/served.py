"""HubSpot behind a port: one portal, its API, its desk."""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator import contact_seeds, seeds
from icp_sync.simulator.hubspot.api import Api
from icp_sync.simulator.hubspot.desk import CONTROLS, PortalDesk
from icp_sync.simulator.hubspot.portal import TIME_ZONE, Account, Portal, Token, portal_id
from icp_sync.simulator.limits import Limits, Meter
from icp_sync.simulator.served import Body, Wanted
from icp_sync.simulator.switches import Switches

TOKEN = "pat-na1-simulator-0000-0000-0000"  # noqa: S105 - opens nothing but this simulator
INDEX_LAG = 3.0


class HubSpot:
    """A simulated portal. Raises ValueError for a plan there is not, and for negative figures."""

    controls = CONTROLS
    ready: Mapping[str, str] = {}
    body = Body()

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.token = wanted.token or TOKEN
        self.switches = Switches()
        lag = INDEX_LAG if wanted.index_lag is None else wanted.index_lag
        self.switches.turn({"latency": wanted.latency, "index_lag": lag})
        self.portal = Portal(
            clock=wanted.clock,
            switches=self.switches,
            limits=Limits(wanted.limits, self.switches, TIME_ZONE),
            seed=wanted.seed,
            tokens={self.token: Token()},
            account=Account(id=portal_id(wanted.seed)),
        )
        self.desk = PortalDesk(self.portal)
        self.answer = Api(self.portal, wanted.close_port).answer

    @property
    def meter(self) -> Meter:
        return self.portal.meter

    def fill(self) -> None:
        portal, wanted = self.portal, self._wanted
        portal.clear()
        now = wanted.clock.now_ms()
        portal.store.load(seeds.companies(wanted.accounts, wanted.seed, now, portal.owners))
        if wanted.contacts:
            contact_seeds.fill(portal, wanted.seed)

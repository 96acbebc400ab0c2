"""Salesforce behind a port: one org, its API, its desk."""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.limits import Meter
from icp_sync.simulator.salesforce import account_seeds
from icp_sync.simulator.salesforce.api import LONGEST_BODY, Api
from icp_sync.simulator.salesforce.controls import CONTROLS
from icp_sync.simulator.salesforce.desk import OrgDesk
from icp_sync.simulator.salesforce.limits import DailyLimit
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET, SESSION, USERNAME, Org
from icp_sync.simulator.salesforce.switches import Switches
from icp_sync.simulator.served import Body, Wanted


class Salesforce:
    """A simulated org. Raises ValueError for a plan there is not, and for negative figures."""

    controls = CONTROLS
    ready: Mapping[str, str] = {
        "consumer_key": CONSUMER_KEY,
        "consumer_secret": CONSUMER_SECRET,
        "username": USERNAME,
    }
    body = Body(longest=LONGEST_BODY, chunked=True)

    def __init__(self, wanted: Wanted) -> None:
        if wanted.index_lag:
            raise ValueError("index_lag: on Salesforce what is committed is seen at once; say 0")
        self._wanted = wanted
        self.token = wanted.token or SESSION
        self.switches = Switches()
        self.switches.turn({"latency": wanted.latency})
        self.org = Org(
            clock=wanted.clock,
            switches=self.switches,
            limits=DailyLimit(wanted.limits, self.switches),
            seed=wanted.seed,
            session=self.token,
        )
        self.desk = OrgDesk(self.org)
        self.answer = Api(self.org, wanted.close_port).answer

    @property
    def meter(self) -> Meter:
        return self.org.meter

    def fill(self) -> None:
        self.org.clear()
        account_seeds.fill(self.org, self._wanted.accounts, contacts=self._wanted.contacts)

"""A CRM on this machine: start it, point a client at its URL, look at what it saw.

    with Simulator(accounts=200).start() as crm:
        client = HubSpot(access_token=crm.token, host=crm.url)
        crm.admin("POST edit", domain="example.com", properties={"city": "Oslo"})

It shares nothing with the connectors it is used against, so both cannot be wrong in the same way.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from icp_sync.simulator.admin import Admin
from icp_sync.simulator.clock import Clock
from icp_sync.simulator.served import Served, Wanted
from icp_sync.simulator.server import Listener, Reply, Request

if TYPE_CHECKING:
    from icp_sync.simulator.hubspot.portal import Portal
    from icp_sync.simulator.salesforce.org import Org

HOST = "127.0.0.1"


def _hubspot(wanted: Wanted) -> Served:
    from icp_sync.simulator.hubspot.served import HubSpot

    return HubSpot(wanted)


def _salesforce(wanted: Wanted) -> Served:
    from icp_sync.simulator.salesforce.served import Salesforce

    return Salesforce(wanted)


CRMS: Mapping[str, Callable[[Wanted], Served]] = {"hubspot": _hubspot, "salesforce": _salesforce}


class Simulator:
    """One simulated account behind one port.

    crm: hubspot | salesforce. limits: "off" | "free" | "pro". latency, index_lag: seconds; an index_lag of
    None is the CRM's usual one. start_clock: UTC epoch seconds at which the simulator's clock begins, else
    the present. token: what clients may send; "" is the usual one. contacts: whether the companies' contacts
    exist, as many as their roll-up says.
    Raises ValueError for a CRM or plan there is not, and for negative figures.
    """

    def __init__(
        self,
        crm: str = "hubspot",
        accounts: int = 1800,
        seed: int = 1,
        port: int = 0,
        limits: str = "off",
        latency: float = 0.0,
        index_lag: float | None = None,
        token: str = "",
        start_clock: float | None = None,
        host: str = HOST,
        contacts: bool = False,
    ) -> None:
        if crm not in CRMS:
            raise ValueError(f"crm: {crm!r} is none of {', '.join(CRMS)}")
        if accounts < 0:
            raise ValueError(f"accounts: {accounts} is negative")
        self.crm = crm
        self.accounts = accounts
        self.seed = seed
        self.contacts = contacts
        self.clock = Clock(start_clock)
        self._host = host
        self._port = port
        self._listener: Listener | None = None
        self._running = threading.Lock()
        self._stopped = threading.Event()
        self._served = CRMS[crm](
            Wanted(
                clock=self.clock,
                accounts=accounts,
                contacts=contacts,
                seed=seed,
                limits=limits,
                token=token,
                latency=latency,
                index_lag=index_lag,
                close_port=self._close_port,
            )
        )
        self.token = self._served.token
        self._admin = Admin(self._served.desk, self._served.controls, self._served.fill)
        self._served.fill()

    @property
    def portal(self) -> Portal:
        """The portal behind the port, where HubSpot is served."""
        from icp_sync.simulator.hubspot.portal import Portal

        held = self._served.desk.crm
        if not isinstance(held, Portal):
            raise AttributeError(f"{self.crm} has no portal")
        return held

    @property
    def org(self) -> Org:
        """The org behind the port, where Salesforce is served."""
        from icp_sync.simulator.salesforce.org import Org

        held = self._served.desk.crm
        if not isinstance(held, Org):
            raise AttributeError(f"{self.crm} has no org")
        return held

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash; only while it runs."""
        if self._listener is None:
            raise RuntimeError("the simulator is not running")
        return f"http://{self._host}:{self._port}"

    def start(self) -> Simulator:
        """Listen in a background thread."""
        with self._running:
            self._stopped.clear()
            if self._listener is None:
                self._listen()
        return self

    def stop(self) -> None:
        """Stop listening and cut every connection; what it holds stays readable."""
        self._stopped.set()
        with self._running:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.end()

    def ready_line(self) -> str:
        """One line of JSON that tells another program where to go."""
        told = {"url": self.url, "token": self.token, "accounts": self.accounts}
        return json.dumps(told | dict(self._served.ready))

    def admin(self, control: str, **arguments: object) -> dict[str, object]:
        """A control of `/__simulator/` without HTTP: `admin("POST bump", count=5)`.

        Raises ValueError saying what is wrong with it.
        """
        method, _, path = control.partition(" ")
        return self._admin.run(method, tuple(path.split("/")), arguments)

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith("/__simulator"):
            return self._admin.answer(request)
        try:
            reply = self._served.answer(request)
        except Exception as error:
            # A fault of the simulator's own must not look like one of the CRM's.
            return Reply(status=500, body={"status": "error", "message": f"the simulator failed: {error!r}"})
        listener = self._listener
        if listener is not None:
            self._served.meter.connections = listener.accepted
        return reply

    def _listen(self) -> None:
        taken = self._served.body
        self._listener = Listener(
            self._host, self._port, self._answer, longest=taken.longest, chunked=taken.chunked
        )
        self._port = self._listener.port
        threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def _close_port(self, seconds: float) -> None:
        """Refuse connections for a while, then listen on the same port again."""

        def act() -> None:
            with self._running:
                listener = self._listener
                if listener is None:
                    return
                listener.end()
                if self._stopped.wait(seconds):
                    self._listener = None
                else:
                    self._listen()

        threading.Thread(target=act, daemon=True).start()


def serve(simulator: Simulator, until: threading.Event | None = None) -> None:
    """Keep a started simulator running until `until` is set or the process is interrupted."""
    ended = until or threading.Event()
    try:
        while not ended.wait(3600.0):
            pass
    finally:
        simulator.stop()

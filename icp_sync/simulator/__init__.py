"""A local HTTP server that speaks HubSpot's or Salesforce's API, ugly habits included, to try and test with.

It must not know the connectors: it never imports `icp_sync.crm`, `icp_sync.sync` or `icp_sync.http`.
"""

from icp_sync.simulator.simulator import Simulator, serve

__all__ = ["Simulator", "serve"]

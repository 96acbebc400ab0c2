"""Another client of the same portal, evenly: `neighbour.py URL TOKEN CALLS_A_SECOND`, until ended."""

from __future__ import annotations

import itertools
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests

COMPANIES = "/crm/objects/2026-03/companies"
AT_ONCE = 8
NEIGHBOUR = "neighbour"
"""By which the CRM's log knows it."""


def main() -> None:
    url, token, pace = sys.argv[1], sys.argv[2], float(sys.argv[3])
    session = requests.Session()
    session.headers["User-Agent"] = NEIGHBOUR
    session.headers["Authorization"] = f"Bearer {token}"
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for nth in itertools.count():
            time.sleep(max(0.0, began + nth / pace - time.monotonic()))
            pool.submit(session.get, url + COMPANIES, params={"limit": "1"}, timeout=60)


if __name__ == "__main__":
    main()

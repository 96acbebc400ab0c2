"""A dlt pipeline as its documentation shows it: `python pipeline.py FOLDER`, run in dlt's own environment.

Companies go from the REST source into DuckDB, merged by id. The list endpoint cannot be asked by time, so
every run reads everything. Prints the ids it read.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import dlt  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

PROPERTIES = "name,domain,industry,numberofemployees,annualrevenue,country,lifecyclestage,hs_lastmodifieddate"


def main(folder: str) -> None:
    source = rest_api_source(
        {
            "client": {
                "base_url": os.environ["PEERS_REDIRECT"],
                "auth": {"type": "bearer", "token": os.environ["PEERS_TOKEN"]},
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "paging.next.after",
                    "cursor_param": "after",
                },
            },
            "resources": [
                {
                    "name": "companies",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "/crm/v3/objects/companies",
                        "params": {"limit": 100, "properties": PROPERTIES},
                        "data_selector": "results",
                    },
                }
            ],
        }
    )
    source.companies.add_map(_told)
    kept = dlt.destinations.duckdb(f"{folder}/companies.duckdb")
    dlt.pipeline("companies", pipelines_dir=folder, destination=kept, dataset_name="crm").run(source)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    print(row["id"])
    return row


if __name__ == "__main__":
    main(sys.argv[1])

"""A plain REST vendor as one YAML file: what it is asked, what its replies mean, what they cost.

`load` reads a manifest and names everything that is wrong with it; `Rest` is the enricher it becomes. The
language is explained in `icp_sync/enrichers/README.md`. Knows no vendor.
"""

from icp_sync.enrichers.manifest.loading import VENDORS, load, shipped
from icp_sync.enrichers.manifest.rest import Rest
from icp_sync.enrichers.manifest.schema import Manifest

__all__ = ["VENDORS", "Manifest", "Rest", "load", "shipped"]

"""icp_sync keeps an always-current ICP fit, tier and owner on every CRM account."""

__version__ = "0.1.0"

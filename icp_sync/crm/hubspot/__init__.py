"""HubSpot: companies of one portal behind the `Crm` port."""

from icp_sync.crm.hubspot.portal import HubSpot

__all__ = ["HubSpot"]

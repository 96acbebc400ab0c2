"""Salesforce: accounts of one org behind the `Crm` port."""

from icp_sync.crm.salesforce.login import Credentials
from icp_sync.crm.salesforce.org import Salesforce

__all__ = ["Credentials", "Salesforce"]

"""Salesforce: accounts of one org."""

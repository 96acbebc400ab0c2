"""What people and vendors write, turned into the facts of `icp_sync.domain.facts`, or into nothing.

Every reader here takes any string at all. What cannot be read for certain is None or "" (unknown): a
guess is never returned as a fact. Nothing here knows a CRM or a vendor by more than its vocabulary.
"""

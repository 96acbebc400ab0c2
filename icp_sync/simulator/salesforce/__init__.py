"""Salesforce's public APIs over the simulator's store, ugly habits included."""

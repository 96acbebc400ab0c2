"""Telling people: what is due goes to owners and operators, in words, by a webhook or as a task."""

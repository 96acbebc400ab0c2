"""Marks become a few questions with whole points, and those a profile file."""

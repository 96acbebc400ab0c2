"""A thousand days of a CRM and of us, event to event on an injected clock, judged by an oracle of its own."""

from pathlib import Path

SEEDS = Path(__file__).parent / "seeds.txt"
"""Seeds that once broke a promise, each with its days and accounts."""

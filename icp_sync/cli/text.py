"""Where these stood before."""

from icp_sync.reporting.text import ago, amount, clean, counted, credits, day, instant, short, span

__all__ = ["ago", "amount", "clean", "counted", "credits", "day", "instant", "short", "span"]

"""A profile learned from what became of deals, proven on what came later, and watched afterwards.

Plain Python and the standard library. Knows no CRM: cases come from `reading` and `labelled`.
"""

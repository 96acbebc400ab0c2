"""The fault programme: every registered fault point, and every n-th call, made to fail and made good again.

`test_faults.py` is the slice that runs with the suite; `python -m tests.faults` runs the whole and counts.
"""

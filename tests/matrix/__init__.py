"""The HTTP fault matrix: every way in which an exchange goes wrong × every endpoint a worker calls in a day ×
its first, a middle and its last call, once or for the rest of the day.

`test_matrix.py` is the slice that runs with the suite; `python -m tests.matrix` runs the whole and counts.
"""

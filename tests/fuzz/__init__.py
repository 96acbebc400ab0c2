"""Coverage-guided fuzzing of what people write by hand: profile files, CSV files, facts as text.

A loop of our own over the interpreter's trace: atheris is a wheel of 35 MB for Linux alone, of which nothing
newer than 3.0 installs on Python 3.11, and a slice in the suite must run everywhere.
"""

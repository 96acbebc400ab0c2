"""How many workers many portals take, and what gives out first: months of work in minutes of simulated time.

What the program decides is decided by its own code: the ledger of limits, the pacing of a backfill, the
timetable's intervals, the sizes of pages and batches. What takes time is a figure: measured on this machine
by `calibrating`, published by the vendors, or assumed and said so.
"""

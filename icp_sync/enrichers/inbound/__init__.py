"""Events that others send of companies, such as visits to our site: what they say, and what they amount to.

Companies only: of a person nothing is kept, logged or sent back, whatever the sender tells. Knows no HTTP;
the worker's `daemon.inbound` takes calls in.
"""

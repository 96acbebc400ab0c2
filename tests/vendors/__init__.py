"""Vendors on the other end of real HTTP, and a checker that reads only what they wrote down."""

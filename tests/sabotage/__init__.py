"""Tests of the tests: what happens to them when the program is wrong."""

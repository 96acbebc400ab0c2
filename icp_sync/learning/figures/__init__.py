"""Counts and scores as figures: how likely by chance, how well ranked, how weighed. Pure."""

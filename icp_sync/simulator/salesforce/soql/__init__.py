"""SOQL for the simulator: text to tokens to a tree, and a tree to records."""

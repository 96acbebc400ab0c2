"""What a connection looks like, as plain data: for `--json`, the terminal and the console's pages.

Reads the journal and the settings; prints nothing and knows no screen.
"""

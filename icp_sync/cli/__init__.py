"""The command line: the only place that prints or exits. A file per family of commands.

Modules here import nothing heavy at their top, so that `icp-sync --help` answers at once; what a command
needs it imports when it runs.
"""

"""The admin console: pages and actions on what the daemon did and would do.

Reads the journal, never the CRM; an action is either a change of the journal, made and audited here, or a
request the worker performs. Pages work without JavaScript.
"""

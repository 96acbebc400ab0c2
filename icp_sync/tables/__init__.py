"""CSV files as people export them: read row by row, understood column by column, and written safely.

Knows facts, not CRMs and not the journal. Everything streams: a million rows take no more memory than ten.
"""

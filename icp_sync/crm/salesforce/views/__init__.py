"""The views reps get in an org: list views, formula fields of contacts, and a section of page layouts."""

"""Values onto accounts: the owner alone and conditional, the rest by collections or bulk jobs."""

"""Which lines of a commit's files ran in tests, as reports say. Nothing of the repository is run for that."""

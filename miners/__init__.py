"""Evidence from histories and from GitHub: one signal a file.

A History (`histories`: a clone, opened by `clones`, or commits.json) is read by `repository_miner`. `commit_miner`
makes evidence of its commits, `repo_analyzer` of its tree, both with the rules in `signals`; `issue_miner` reads
closed issues through `github_client`. Evidence is declared in stores/agent/records.py. `pattern_extractor` counts it,
`gate` tries it on repositories that it does not come from, `data_transformer` makes entries of what passes, and
`seeder` puts them into the stores. `pretraining` is all of that in one run.
"""

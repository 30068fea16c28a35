"""What histories and GitHub teach: one signal a file.

`clones` opens repositories and says which commits are new; `dialects`, `diff_tags` and `change_facts`
read one commit, `commit_miner` a history; `repo_analyzer` with `archetypes`, `layouts` and `manifests`
reads a tree; `issue_miner` with `error_texts` reads issues through `github_client`. All of them give
evidence (stores/agent/records.py). `pattern_extractor` counts it, `replay` tries it on repositories that it
does not come from, `data_transformer` makes entries of what holds, `seeder` puts them into the stores.
"""

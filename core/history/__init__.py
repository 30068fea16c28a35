"""Reading a repository's whole history: refs, order, commits, patches, and what a refresh can keep.

`snapshot` looks at refs and fixes the order of commits, `overlay` is the quiet git folder that all
further commands run in, `walk` lists commits with their file changes, `patches` diffs each distinct
change once, `reader` puts them together, `index` remembers what was written where.
"""

"""The token stream as training data: order, splits, duplicates, leakage, baselines, blocks."""

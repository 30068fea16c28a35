"""Measurements by hand: `make bench` prints ratios against peers and floors taken in the same run."""

"""How a stage runs: up to date or not, in a process of its own, published whole, recorded. Never what it writes."""

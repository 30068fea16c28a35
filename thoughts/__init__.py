"""The background engine: what it does while it is switched on, within a budget, and only with evidence."""

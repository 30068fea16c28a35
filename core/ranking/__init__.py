"""Which files go with a task or a change: candidates, features, a learned order, and reasons in words."""

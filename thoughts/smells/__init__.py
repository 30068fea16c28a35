"""What tools say of code, ranked by what this history did about it: most that a linter says is never changed."""

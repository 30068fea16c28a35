"""The study of a repository: what runs in the background within a budget, and shows only what it can prove."""

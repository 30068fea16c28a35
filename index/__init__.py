"""What is known of a repository before anybody asks: one file for each, brought up to date by what changed."""

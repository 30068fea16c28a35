"""What a team has learned from its history: patterns of past changes, how long they lasted, who found them useful."""

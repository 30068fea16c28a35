"""What an agent reads on its first day and goes on writing: v-vectors, patterns, failures, and their evidence."""

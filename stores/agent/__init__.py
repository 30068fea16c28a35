"""The three stores that agents read and write: v-vectors, patterns and failures, with their evidence."""

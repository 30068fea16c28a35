"""Cards: what is to be known of a function or a file before it is changed, every line with what proves it."""

"""Does evidence predict repositories that it does not come from? The replay that tries it, and its reports."""

"""Names of the rows in evaluation.json."""

TUNED, BASE = "fine-tuned", "untuned base"
TRIGRAM, COPY = "trigram", "copy"
CACHE = " + cache"

"""Learning from use: what was shown and what people made of it, and the order and the context that follow from that."""

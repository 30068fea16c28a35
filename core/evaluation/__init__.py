"""How well a model predicts held-out history, compared with its base and with baselines."""

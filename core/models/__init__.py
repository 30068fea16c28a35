"""Base models, adapters on them, and the folder and card of a trained model."""

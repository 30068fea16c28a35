"""Base models, and the folder that a trained model is kept in."""

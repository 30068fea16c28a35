"""What a longer training would bring, from a short one: `train_model.py --estimate`."""

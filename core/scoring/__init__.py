"""What training and evaluation both need: what a model gives each token of a stream."""

"""What training and evaluation both need: which tokens to score, and what a model gives each of them."""

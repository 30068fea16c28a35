"""Answering over HTTP: a queue in front of one model, and the routes."""

"""What a path, a language and a change tell by themselves."""

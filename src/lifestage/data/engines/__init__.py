"""One set of names for every kind of frame."""

"""Data sets: taken, checked, kept under the hash of their content, and pinned by studies."""

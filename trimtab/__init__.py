"""Trimtab: the words, and the client."""

"""Measurements that can be repeated. LOG.md says what they gave, also what did not help."""

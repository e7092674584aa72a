"""Networks as they are rebuilt from a file: described by plain values, of modules that draw nothing.

What trains them (workers.training) and what predicts with them build on it. It needs the extra `models`: nothing else
in `trimtab` imports it, but for who loads a model.
"""

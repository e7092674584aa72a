"""Tables of a study for pandas and for polars: its trials, and their curves.

columns   what is in a table, column by column      pure
making    a frame of columns                        the one place that knows pandas and polars
"""

"""A suite of problems with a known best value, and what each sampler makes of them: `make bench-search`."""

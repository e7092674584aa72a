"""The server: studies, leases, sampling, stopping."""

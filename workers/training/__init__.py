"""Training: data in, epochs out. It knows nothing of studies, leases and the service."""

"""HTTP: each route unpacks, makes one call, packs."""

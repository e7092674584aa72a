"""What pages draw of a study: as little as shows all of it."""

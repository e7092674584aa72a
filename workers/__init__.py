"""The trainers: pull trials, train networks, report."""

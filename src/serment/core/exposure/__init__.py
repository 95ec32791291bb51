"""What of a practice strangers can reach: what was seen, what it means, how to close it. Pure."""

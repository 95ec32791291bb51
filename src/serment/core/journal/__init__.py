"""The verifiable journal: entries, leaves, checkpoints, and what a verifier concludes from them."""

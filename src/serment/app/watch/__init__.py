"""WATCH: the journal of every access, its checkpoints and its verification."""

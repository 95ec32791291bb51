"""Find: what of this practice strangers can reach."""

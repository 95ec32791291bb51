"""PROVE: what Serment states about itself, with how it is known."""

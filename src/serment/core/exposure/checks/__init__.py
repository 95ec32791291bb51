"""One check a file; `serment.core.exposure.registry` finds them."""

"""One check a file; `serment.core.exposure.registry` lists them."""

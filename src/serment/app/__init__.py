"""The steps, one folder a verb: they ask the core what is right and the ports to do it."""

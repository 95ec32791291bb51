"""One module a screen; each exports the routes it answers."""

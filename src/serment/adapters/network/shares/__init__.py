"""File services as a stranger asks them: one client a protocol, and the walk through their folders."""

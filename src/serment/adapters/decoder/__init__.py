"""Decodes pixels in child processes that hold no key: the parent's side, the child, their limits."""

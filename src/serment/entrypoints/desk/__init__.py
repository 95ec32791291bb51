"""What the command line can ask of an open vault: one table of requests, run where the keys are.

With a server running they reach it through its Unix socket (`local`); without one the command
opens the vault alone. Both answer the same JSON values.
"""

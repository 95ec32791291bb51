"""The helper outside: how it is paired, asked and answered. Pure values; sockets are `adapters.peer`."""

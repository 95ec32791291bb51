"""The Unix socket (0600) through which this machine's command line reaches a running server."""

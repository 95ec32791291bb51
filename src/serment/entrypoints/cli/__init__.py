"""The command line: parses what a person or a script asks, calls the app, prints the answer."""

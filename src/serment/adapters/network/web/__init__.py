"""What is behind a web server: a bounded client, and one function for each kind of interface."""

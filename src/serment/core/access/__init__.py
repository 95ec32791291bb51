"""Who may: roles and the circles they hold, admission, password strength, how long a session lasts."""

"""REST handlers and the server extension."""

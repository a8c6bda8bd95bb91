"""The Python client: the declared operations as methods, over HTTP or in this process."""

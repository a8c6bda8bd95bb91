"""Applications: a kernel with its environment and settings, captured as a folder and re-created from it (DESIGN §10)."""

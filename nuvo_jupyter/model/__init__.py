"""The vocabulary: plain structs and error classes. Imports nothing else of this package."""

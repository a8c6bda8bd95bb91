"""Content-addressed storage: blobs in packs, trees, and the checks that they are whole (docs/store-format.md)."""

"""Installing what is compared with."""

"""The live side: scan, safe file access, capture and apply."""

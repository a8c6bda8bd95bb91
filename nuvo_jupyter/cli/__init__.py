"""The command `nuvo`: thin; it translates and renders, and decides nothing."""

"""Use cases: authorise, act, audit. The only door for every face."""

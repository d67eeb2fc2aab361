"""What the entry points at the root share: one concept per file. The map is in the README, "Where
is what"."""

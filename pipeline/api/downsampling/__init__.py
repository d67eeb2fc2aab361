"""How `points` makes few rows of a wide range: the rows of each time bucket aggregated, or only the
last row of each bucket."""

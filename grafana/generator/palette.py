"""Every colour of every dashboard, in one place. The colours come from the palette of Okabe and
Ito, which readers with a red-green colour deficiency can tell apart; up and down also differ in
lightness."""

UP, DOWN = "#56B4E9", "#E69F00"  # sky blue, orange
GOOD, WARNING, BAD = "#009E73", "#F0E442", "#D55E00"  # bluish green, yellow, vermilion
PLAIN, ACCENT, GREY = "#56B4E9", "#CC79A7", "#999999"

"""Every colour of every dashboard, in one place. From the palette of Okabe and Ito, whose colours
stay apart for people who confuse red and green; up and down differ in lightness as well."""

UP, DOWN = "#56B4E9", "#E69F00"  # sky blue, orange
GOOD, WARNING, BAD = "#009E73", "#F0E442", "#D55E00"  # bluish green, yellow, vermilion
PLAIN, ACCENT, GREY = "#56B4E9", "#CC79A7", "#999999"

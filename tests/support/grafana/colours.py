"""Grafana's colours and how well one can be read on another. The values are those of Grafana's two
themes (13.x); the contrast is that of WCAG 2."""

import math

# What a colour name stands for, as (dark theme, light theme).
NAMED = {
    "text": ("#CCCCDC", "#24292E"),
    "blue": ("#5794F2", "#3274D9"),
    "red": ("#F2495C", "#E02F44"),
    "purple": ("#B877D9", "#A352CC"),
    "green": ("#73BF69", "#56A64B"),
    "orange": ("#FF9830", "#FF780A"),
    "yellow": ("#FADE2A", "#F2CC0C"),
}
BACKGROUNDS = ("#181B1F", "#FFFFFF")
BLACK, WHITE = "#202226", "#FFFFFF"
# Above this brightness Grafana writes black on a tile, else white.
BRIGHT = 180


def in_themes(colour: str) -> tuple[str, str]:
    """The colour in the dark and the light theme. Raises KeyError for a name that is not listed
    here."""
    return (colour, colour) if colour.startswith("#") else NAMED[colour]


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    shares = [part / 255 for part in rgb(colour)]
    red, green, blue = (s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (equal) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def contrast_as_text(colour: str) -> float:
    """The smaller of the contrasts on the panels of the two themes."""
    return min(contrast(shade, background) for shade, background in zip(in_themes(colour), BACKGROUNDS))


def contrast_as_tile(colour: str) -> float:
    """Of the text that Grafana writes on a tile of this colour."""
    shades = in_themes(colour)
    return min(contrast(shade, BLACK if brightness(shade) > BRIGHT else WHITE) for shade in shades)


def brightness(colour: str) -> float:
    red, green, blue = rgb(colour)
    return (299 * red + 587 * green + 114 * blue) / 1000


def distance(one: str, other: str) -> float:
    """How different two colours are, in the less favourable theme; 0 to 441."""
    return min(math.dist(rgb(a), rgb(b)) for a, b in zip(in_themes(one), in_themes(other)))

"""Every colour of every dashboard, in one place, and where each may be used.

Lines, bars and candles use the palette of Okabe and Ito, which readers with a red-green colour
deficiency can tell apart. No single colour can be read as text on a dark and on a white background
(a contrast of 4.5 on both is impossible), so text uses names that Grafana resolves by theme, and
states are tiles whose text Grafana makes black or white. A test computes the contrast."""

# Lines, bars, candles.
UP, DOWN = "#56B4E9", "#E69F00"  # sky blue, orange
GOOD, WARNING, BAD = "#009E73", "#F0E442", "#D55E00"  # bluish green, yellow, vermilion
ACCENT, NEUTRAL = "#CC79A7", "#858D9A"  # reddish purple; a grey that is visible on dark and on white
BLUE = "#0072B2"
# Series that are always there: each has its own colour, in every panel the same.
TABLES = {
    "latest_prices": UP,
    "crypto_24h_stats": DOWN,
    "order_book": ACCENT,
    "recent_trades": GOOD,
    "klines": BLUE,
    "instruments": BAD,
    "forecasts": WARNING,
    "data_source": NEUTRAL,
}
# Text: names, because each theme has its own shade.
PLAIN_TEXT, UP_TEXT, DOWN_TEXT = "text", "blue", "red"
# Tiles and coloured cells.
GOOD_TILE, WARNING_TILE, BAD_TILE = "#00795A", "#F0E442", "#B04A00"
LIVE_TILE, SIMULATED_TILE, REPLAYED_TILE, UNKNOWN_TILE = "#00795A", "#0B5FA5", "#7C4A8C", "#5F6B78"

// The chart of candles and volume. Knows the charting library; knows nothing of requests.

import { compact, fixed } from "./format.js";

const SHARE_OF_VOLUME = 0.2; // of the chart's height
const FREE_BARS = 4; // to the right of the newest candle
const BAR_WIDTH_PX = 9;
const AXIS_WIDTH_PX = 70;

export class CandleChart {
  /** `onHover(candle)` is called with the candle under the pointer, or with the newest one. */
  constructor(element, onHover) {
    this._element = element;
    this._onHover = onHover;
    this._candles = new Map(); // open time in s → row
    this._newest = null;
    this._decimals = null;
    const { createChart, CandlestickSeries, HistogramSeries } = window.LightweightCharts;
    this._chart = createChart(element, { autoSize: true, ...fixedOptions() });
    this._prices = this._chart.addSeries(CandlestickSeries, { borderVisible: false });
    this._volumes = this._chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "custom", formatter: compact, minMove: 1e-8 },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this._prices.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: SHARE_OF_VOLUME + 0.04 } });
    this._volumes.priceScale().applyOptions({ scaleMargins: { top: 1 - SHARE_OF_VOLUME, bottom: 0 } });
    this._chart.subscribeCrosshairMove((event) => this._onHover(this._candles.get(event.time) ?? this._newest));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.applyColours());
    this.applyColours();
  }

  /** Open time in ms of the newest candle, or null. */
  get newestTime() {
    return this._newest?.open_time ?? null;
  }

  setDecimals(decimals) {
    if (decimals === this._decimals) return;
    this._decimals = decimals;
    const formatter = (price) => fixed(price, decimals);
    this._prices.applyOptions({ priceFormat: { type: "custom", formatter, minMove: 10 ** -decimals } });
  }

  /** Replaces all candles and shows the newest ones. */
  replace(rows) {
    this._candles.clear();
    this._newest = null;
    rows.forEach((row) => this._remember(row));
    this._draw();
    const shown = Math.max(20, Math.floor((this._element.clientWidth - AXIS_WIDTH_PX) / BAR_WIDTH_PX));
    const count = this._candles.size;
    this._chart.timeScale().setVisibleLogicalRange({ from: count - shown, to: count - 1 + FREE_BARS });
  }

  /** Updates the newest candle and appends later ones. */
  update(rows) {
    for (const row of rows.filter((each) => each.open_time >= this.newestTime)) {
      this._remember(row);
      this._prices.update(bar(row));
      this._volumes.update(this._volume(row));
    }
    this._onHover(this._newest);
  }

  applyColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this._colours = { up: colour("up-soft"), down: colour("down-soft") };
    this._chart.applyOptions({
      layout: { background: { color: "transparent" }, textColor: colour("muted") },
      grid: { vertLines: { color: colour("grid") }, horzLines: { color: colour("grid") } },
      crosshair: {
        vertLine: { color: colour("muted"), labelBackgroundColor: colour("label") },
        horzLine: { color: colour("muted"), labelBackgroundColor: colour("label") },
      },
    });
    const [up, down] = [colour("up"), colour("down")];
    this._prices.applyOptions({ upColor: up, wickUpColor: up, downColor: down, wickDownColor: down });
    this._draw();
  }

  _remember(row) {
    this._candles.set(row.open_time / 1000, row);
    this._newest = row;
  }

  _draw() {
    const rows = [...this._candles.values()];
    this._prices.setData(rows.map(bar));
    this._volumes.setData(rows.map((row) => this._volume(row)));
    this._onHover(this._newest);
  }

  _volume(row) {
    const color = row.close_price >= row.open_price ? this._colours.up : this._colours.down;
    return { time: row.open_time / 1000, value: row.volume ?? 0, color };
  }
}

function bar(row) {
  return {
    time: row.open_time / 1000,
    open: row.open_price,
    high: row.high_price,
    low: row.low_price,
    close: row.close_price,
  };
}

function fixedOptions() {
  return {
    // The attribution is text at the foot of the page: the library's logo needs an inline style.
    layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 },
    localization: { locale: "en-US" },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false },
    // A page that scrolls past the chart must not zoom it.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
  };
}

// Everything on the page that is text: header, watch list, figures, tables. Text from the API is
// only ever set as textContent. Knows nothing of requests.

import { sourceKind } from "./api.js";
import {
  clock,
  compact,
  decimalsOf,
  direction,
  duration,
  exact,
  fixed,
  mostDecimals,
  MISSING,
  percent,
} from "./format.js";
import { sparkline } from "./sparkline.js";

const MAX_LATE_NAMED = 2;

export const byId = (id) => document.getElementById(id);

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function put(id, text, title = "") {
  byId(id).textContent = text;
  byId(id).title = title;
}

/** Shows a sentence, or hides its place if there is none. */
export function say(id, sentence) {
  put(id, sentence ?? "");
  byId(id).hidden = !sentence;
}

/** Decimals of a symbol's prices: of its tick size if it has one, else the most that `known` have. */
export function priceDecimals(symbol, known) {
  const tick = Number(symbol?.tick_size ?? 0);
  return tick > 0 ? decimalsOf(tick) : mostDecimals(known);
}

/** The current price, or else that of the statistics, with the decimals of their other prices. */
function priceText(symbol, stats, current) {
  const names = ["last_price", "open_price", "high_price", "low_price", "bid_price", "ask_price"];
  const known = [current, ...names.map((name) => stats?.[name])];
  return fixed(current ?? stats?.last_price, priceDecimals(symbol, known));
}

/** The base asset and the rest: BTCUSDT → ["BTC", "USDT"]. */
export function assets({ symbol, quote_asset: quote }) {
  const splits = quote && symbol.length > quote.length && symbol.endsWith(quote);
  return splits ? [symbol.slice(0, -quote.length), quote] : [symbol, ""];
}

function showName(place, row) {
  const [base, quote] = assets(row);
  place.replaceChildren(element("span", "", base), element("span", "asset", quote));
}

/** One child of the element per row: `make()` makes a missing one, `show(child, row)` fills each.
 * Children are kept, so that a click or a selection survives a refresh. */
function fill(id, rows, make, show) {
  const parent = byId(id);
  while (parent.children.length > rows.length) parent.lastElementChild.remove();
  while (parent.children.length < rows.length) parent.append(make());
  rows.forEach((row, index) => show(parent.children[index], row));
}

/** Whether the data are live, simulated or replayed. */
export function showSource(symbols) {
  const source = symbols[0]?.source ?? "source unknown";
  const kind = sourceKind(source);
  put("source", kind ?? source, source);
  byId("source").dataset.kind = kind ?? "unknown";
  byId("source").hidden = !symbols.length;
}

/** When the numbers are from, and which tables are late. */
export function showStatus(freshness) {
  const late = freshness.filter((row) => row.late);
  const names = late
    .slice(0, MAX_LATE_NAMED)
    .map(({ table, age_seconds: age }) => `${table} is ${age === null ? "empty" : `${duration(age)} old`}`);
  const more = late.length > names.length ? ` and ${late.length - names.length} more` : "";
  byId("status").dataset.state = late.length ? "late" : "fresh";
  put("status", late.length ? `late: ${names.join(", ")}${more}` : `updated ${clock(Date.now())}`);
}

/** One button per tracked symbol. `current`: newest prices by symbol, `closes`: those of a day. */
export function showWatch(symbols, stats, current, closes, chosen) {
  const bySymbol = new Map(stats.map((row) => [row.symbol, row]));
  fill("watch", symbols, makeTile, (tile, row) => {
    const now = bySymbol.get(row.symbol);
    const way = direction(now?.price_change);
    const [name, line, last, change] = tile.children;
    tile.dataset.symbol = row.symbol;
    tile.setAttribute("aria-pressed", String(row.symbol === chosen));
    showName(name, row);
    line.replaceChildren(...[sparkline(closes.get(row.symbol) ?? [], way)].filter(Boolean));
    last.textContent = priceText(row, now, current.get(row.symbol));
    change.className = `change ${way}`;
    change.textContent = percent(now?.price_change_percent);
  });
}

function makeTile() {
  const tile = element("button", "tile");
  tile.type = "button";
  tile.append(element("span", "name"), element("span", "line"), element("span", "last"), element("span"));
  return tile;
}

/** The large price with its change over 24 hours, and the figures beside it. */
export function showFigures(symbol, price, stats, decimals) {
  const [base, quote] = assets(symbol);
  put("symbol", quote ? `${base} / ${quote}` : base);
  const shown = fixed(price?.price, decimals);
  document.title = `${shown === MISSING ? "" : `${shown} `}${symbol.symbol} · Crypto market`;
  put("price", shown, price ? `at ${clock(price.updated_at)} UTC` : "");
  byId("change").className = `change ${direction(stats?.price_change)}`;
  put("change", stats ? `${percent(stats.price_change_percent)} in 24 hours` : "");
  put("high", fixed(stats?.high_price, decimals));
  put("low", fixed(stats?.low_price, decimals));
  put("volume", `${compact(stats?.volume)} ${base}`, exact(stats?.volume));
  put("turnover", `${compact(stats?.quote_volume)} ${quote}`, exact(stats?.quote_volume));
  put("trade-count", exact(stats?.trade_count));
}

/** Best bid, best ask, and their distance in hundredths of a percent. */
export function showBest(book, decimals) {
  put("bid", fixed(book?.best_bid, decimals));
  put("ask", fixed(book?.best_ask, decimals));
  const points = book?.mid_price ? (book.spread / book.mid_price) * 10_000 : null;
  put("spread", `${fixed(book?.spread, decimals)} · ${exact(points && Number(points.toPrecision(3)))} bp`);
}

/** Open, high, low, close and volume of a candle. */
export function showCandle(candle, decimals) {
  const parts = candle
    ? ["open", "high", "low", "close"].map((name) => [name[0].toUpperCase(), fixed(candle[`${name}_price`], decimals)])
    : [];
  if (candle) parts.unshift(["", new Date(candle.open_time).toISOString().slice(0, 16).replace("T", " ")]);
  if (candle) parts.push(["V", compact(candle.volume)]);
  byId("legend").replaceChildren(
    ...parts.map(([name, value]) => {
      const part = element("span", "", name ? `${name} ` : "");
      part.append(element("b", "", value));
      return part;
    }),
  );
}

/** Newest first; a trade is coloured by the side of its taker. */
export function showTrades(trades, decimals, { base, quote }) {
  const newestFirst = [...trades].reverse();
  const quantityDecimals = mostDecimals(trades.map((row) => row.quantity));
  const largest = Math.max(...trades.map((row) => row.quantity));
  put("trade-price-title", quote ? `Price ${quote}` : "Price");
  put("trade-quantity-title", `Quantity ${base}`);
  fill("trades", newestFirst, makeLine, (line, row) => {
    const side = row.is_buyer_maker ? "down" : "up";
    line.className = `weighed ${side}`;
    line.title = row.is_buyer_maker ? "sold" : "bought";
    line.style.setProperty("--share", largest > 0 ? row.quantity / largest : 0);
    const [time, price, quantity] = line.cells;
    time.textContent = clock(row.trade_time);
    price.className = `number ${side}`;
    price.textContent = fixed(row.price, decimals);
    quantity.textContent = fixed(row.quantity, quantityDecimals);
  });
}

function makeLine() {
  const line = element("tr");
  line.append(element("td"), element("td"), element("td", "number"));
  return line;
}

/** The ten most traded symbols; those in `tracked` (rows by symbol) can be chosen. */
export function showTraded(stats, current, tracked, quote) {
  const largest = Math.max(...stats.map((row) => row.quote_volume));
  put("turnover-title", quote ? `Turnover ${quote}` : "Turnover");
  fill("traded", stats, makeTradedLine, (line, row) => {
    line.style.setProperty("--share", largest > 0 ? row.quote_volume / largest : 0);
    const [symbol, price, change, turnover] = line.cells;
    const button = symbol.firstChild;
    button.dataset.symbol = row.symbol;
    button.disabled = !tracked.has(row.symbol);
    showName(button, { symbol: row.symbol, quote_asset: quote });
    price.textContent = priceText(tracked.get(row.symbol), row, current.get(row.symbol));
    change.className = `number ${direction(row.price_change)}`;
    change.textContent = percent(row.price_change_percent);
    turnover.textContent = compact(row.quote_volume);
    turnover.title = exact(row.quote_volume);
  });
}

function makeTradedLine() {
  const line = element("tr", "weighed neutral");
  const symbol = element("td");
  const button = element("button", "link");
  button.type = "button";
  symbol.append(button);
  line.append(symbol, element("td", "number"), element("td"), element("td", "number"));
  return line;
}

/** `listener(symbol)` is called when a symbol is chosen in the watch list or in the table. */
export function onChoice(listener) {
  for (const id of ["watch", "traded"]) {
    byId(id).addEventListener("click", (event) => {
      const button = event.target.closest("button[data-symbol]");
      if (button) listener(button.dataset.symbol);
    });
  }
}

// The market page: which symbol and interval are shown, and a refresh every two seconds. How things
// are drawn is in candles.js, depth.js and panels.js.

import { rows } from "./api.js";
import { CandleChart } from "./candles.js";
import { DepthChart } from "./depth.js";
import { clock, isNumber } from "./format.js";
import * as panels from "./panels.js";

const REFRESH_MS = 2000;
// Which symbols the API accepts: it writes its own rule into the page.
const SYMBOL = new RegExp(`^(?:${document.body.dataset.symbolPattern})$`, "u");
const INTERVALS = ["1m", "5m", "15m", "1h"];
const CANDLES = 500;
const TRADES = 14;
const LEVELS = 200;
const MOST_TRADED = 10;
const MAX_SYMBOLS = 50; // per request
// Of all tracked symbols together. One that changes rarely may be missing: its statistics have the
// price as well.
const PRICES_PER_SYMBOL = 4;
const SPARKLINE_HOURS = 24;
const SPARKLINE_MS = 60_000;
const DEPTH_HINT = "Quantity from the best price outwards";

const view = {
  symbol: "",
  interval: INTERVALS[0],
  loaded: "", // symbol and interval of the candles in the chart
  decimals: new Map(), // by symbol
  closes: new Map(), // by tracked symbol
  closesAt: -Infinity,
  updatedAt: null,
};
let timer = 0;
let round = 0; // a response that belongs to an earlier round is dropped

const candles = new CandleChart(panels.byId("candles"), (row) => panels.showCandle(row, decimals()));
const depth = new DepthChart(panels.byId("depth"), (text) => panels.say("depth-reading", text || DEPTH_HINT));

function decimals() {
  return view.decimals.get(view.symbol) ?? 2;
}

/** Price decimals of the chosen symbol: those of its tick size if it has one, else the most seen. */
function learnDecimals(symbol, prices) {
  const before = symbol.tick_size ? 0 : (view.decimals.get(symbol.symbol) ?? 0);
  view.decimals.set(symbol.symbol, Math.max(before, panels.priceDecimals(symbol, prices)));
}

// --- what is shown is in the address: /market#ETHUSDT/5m

function readAddress() {
  let parts;
  try {
    parts = decodeURIComponent(location.hash.slice(1)).split("/");
  } catch {
    parts = [""]; // not valid percent encoding
  }
  const last = parts.at(-1);
  view.interval = INTERVALS.includes(last) ? last : INTERVALS[0];
  view.symbol = (INTERVALS.includes(last) ? parts.slice(0, -1) : parts).join("/");
}

function choose(symbol, interval = view.interval) {
  history.replaceState(null, "", `#${encodeURIComponent(symbol)}/${interval}`);
  changed();
}

function changed() {
  readAddress();
  showIntervals();
  refresh();
}

function showIntervals() {
  const buttons = INTERVALS.map((interval) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = interval;
    button.setAttribute("aria-pressed", String(interval === view.interval));
    button.addEventListener("click", () => choose(view.symbol, interval));
    return button;
  });
  panels.byId("intervals").replaceChildren(...buttons);
}

// --- one refresh

async function refresh() {
  clearTimeout(timer);
  const mine = ++round;
  try {
    await load(() => mine === round);
    if (mine === round) panels.say("problem", null);
  } catch (problem) {
    if (mine === round) showProblem(problem);
  }
  if (mine === round && !document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

function showProblem(problem) {
  console.info("refresh failed:", problem.message);
  const numbers = view.updatedAt === null ? "" : ` The numbers below are from ${clock(view.updatedAt)} UTC.`;
  panels.say("problem", `${problem.message}${numbers} The page tries again every two seconds.`);
  panels.byId("status").dataset.state = "problem";
  panels.byId("status").textContent = "no connection";
}

/** Reads and shows everything. `isCurrent()`: nothing else was chosen meanwhile. */
async function load(isCurrent) {
  const [symbols, freshness] = await Promise.all([rows("/symbols", { tracked: "true" }), rows("/freshness")]);
  if (!isCurrent()) return;
  panels.byId("no-symbols").hidden = symbols.length > 0;
  panels.byId("market").hidden = !symbols.length;
  if (symbols.length) {
    const chosen = symbols.find((row) => row.symbol === view.symbol) ?? (await mostTraded(symbols));
    if (!isCurrent()) return;
    view.symbol = chosen.symbol;
    const found = await read(chosen, symbols);
    if (!isCurrent()) return;
    show(chosen, symbols, found);
  }
  panels.showSource(symbols);
  panels.showStatus(freshness);
  view.updatedAt = Date.now();
}

/** Whether the API takes the symbol as a parameter; of others, nothing can be read. */
function isAccepted({ symbol }) {
  return SYMBOL.test(symbol);
}

/** What is shown when the address names no tracked symbol. */
async function mostTraded(symbols) {
  const accepted = symbols.filter(isAccepted).slice(0, MAX_SYMBOLS);
  const ranking = { ...ofAll(accepted), sort: "quote_volume", limit: 1 };
  const [first] = accepted.length ? await rows("/crypto_24h_stats", ranking) : [];
  return symbols.find((row) => row.symbol === first?.symbol) ?? accepted[0] ?? symbols[0];
}

function ofAll(symbols) {
  return { symbol: symbols.map((row) => row.symbol).join(",") };
}

async function read(chosen, symbols) {
  const symbol = chosen.symbol;
  const ranking = { sort: "quote_volume", limit: MOST_TRADED };
  if (chosen.quote_asset) ranking.quote_asset = chosen.quote_asset;
  const accepted = symbols.filter(isAccepted).slice(0, MAX_SYMBOLS);
  const ofKnown = (path, more) => (accepted.length ? rows(path, { ...ofAll(accepted), ...more }) : []);
  const [traded, stats, newest, prices, bars, books, trades] = await Promise.all([
    rows("/crypto_24h_stats", ranking),
    ofKnown("/crypto_24h_stats", { sort: "symbol", limit: MAX_SYMBOLS }),
    ofKnown("/latest_prices", { limit: PRICES_PER_SYMBOL * accepted.length }),
    ofSymbol("/latest_prices", symbol, { limit: 1 }),
    readCandles(symbol, view.interval),
    ofSymbol("/order_book", symbol, { limit: 1, levels: LEVELS }),
    ofSymbol("/recent_trades", symbol, { limit: TRADES }),
    readSparklines(ofKnown, accepted.length),
  ]);
  const current = new Map([...newest, ...prices].map((row) => [row.symbol, row.price]));
  return { traded, stats, current, price: prices[0], bars, book: books[0], trades };
}

/** Rows of one symbol; none if the API does not accept its name. */
async function ofSymbol(path, symbol, parameters) {
  return isAccepted({ symbol }) ? rows(path, { symbol, ...parameters }) : [];
}

/** All candles of a new choice, or the newest ones if these join those in the chart. */
async function readCandles(symbol, interval) {
  const wanted = `${symbol}/${interval}`;
  if (view.loaded === wanted && candles.newestTime !== null) {
    const newest = await ofSymbol("/klines", symbol, { interval, limit: 3 });
    if (newest.length && newest[0].open_time <= candles.newestTime) return { wanted, newest };
  }
  return { wanted, all: await ofSymbol("/klines", symbol, { interval, limit: CANDLES }) };
}

async function readSparklines(ofKnown, count) {
  if (performance.now() - view.closesAt < SPARKLINE_MS) return;
  const found = await ofKnown("/klines", { interval: "1h", limit: SPARKLINE_HOURS * count });
  view.closesAt = performance.now();
  view.closes = new Map();
  for (const row of found) {
    if (!isNumber(row.close_price)) continue;
    view.closes.set(row.symbol, [...(view.closes.get(row.symbol) ?? []), row.close_price]);
  }
}

function show(chosen, symbols, { traded, stats, current, price, bars, book, trades }) {
  const shown = bars.all ?? bars.newest;
  learnDecimals(chosen, [
    price?.price,
    ...shown.flatMap((row) => [row.open_price, row.high_price, row.low_price, row.close_price]),
    ...trades.map((row) => row.price),
    book?.best_bid,
    book?.best_ask,
  ]);
  showWords(chosen, { shown, book, trades, traded });
  panels.showWatch(symbols, stats, current, view.closes, chosen.symbol);
  panels.showFigures(chosen, price, stats.find((row) => row.symbol === chosen.symbol), decimals());
  showCandles(bars);
  panels.showBest(book, decimals());
  depth.show(book ?? null, decimals());
  const [base, quote] = panels.assets(chosen);
  panels.showTrades(trades, decimals(), { base, quote });
  panels.showTraded(traded, current, new Map(symbols.map((row) => [row.symbol, row])), chosen.quote_asset);
}

function showCandles({ wanted, all, newest }) {
  candles.setDecimals(decimals());
  if (all) candles.replace(all);
  else candles.update(newest);
  view.loaded = wanted;
}

/** Why a panel is empty. */
function showWords(chosen, { shown, book, trades, traded }) {
  const name = chosen.symbol;
  const refused = isAccepted(chosen) ? null : `The API accepts no symbol with such characters: ${name}`;
  const levels = (book?.bids ?? []).length + (book?.asks ?? []).length;
  panels.say("no-candles", shown.length ? null : refused ?? `No ${view.interval} candle of ${name} is stored yet.`);
  panels.say("no-book", levels ? null : refused ?? `No order book of ${name} is stored yet.`);
  panels.say("no-trades", trades.length ? null : refused ?? `No trade of ${name} is stored yet.`);
  panels.say("no-traded", traded.length ? null : "No 24-hour statistics are stored yet.");
}

panels.onChoice((symbol) => choose(symbol));
addEventListener("hashchange", changed);
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
changed();

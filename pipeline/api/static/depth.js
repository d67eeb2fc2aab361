// The depth of an order book as two stepped areas in SVG. Knows nothing of requests.

import { compact, fixed, round } from "./format.js";
import { svg } from "./sparkline.js";

const MARGIN = { top: 8, right: 8, bottom: 22, left: 8 };
const TICK_DISTANCE_PX = 110;

export class DepthChart {
  /** `onRead(text)` is called with the level under the pointer in words, or "". */
  constructor(element, onRead) {
    this._element = element;
    this._onRead = onRead;
    this._book = null;
    this._decimals = 2;
    new ResizeObserver(() => this._draw()).observe(element);
    element.addEventListener("pointermove", (event) => this._read(event.offsetX));
    element.addEventListener("pointerleave", () => this._read(null));
  }

  /** `book`: a row of /order_book, or null. */
  show(book, decimals) {
    this._book = book && { bids: accumulated(book.bids ?? []), asks: accumulated(book.asks ?? []) };
    this._decimals = decimals;
    this._draw();
  }

  _draw() {
    const [width, height] = [this._element.clientWidth, this._element.clientHeight];
    this._scale = width && this._book ? scaleOf(this._book, width, height) : null;
    if (!this._scale) return this._element.replaceChildren();
    const picture = svg("svg", { width, height, role: "img", "aria-label": "Order book depth" });
    picture.append(...this._axis(width, height));
    for (const [side, levels] of Object.entries(this._book)) {
      picture.append(...area(levels, this._scale, side, side === "bids" ? 0 : width));
    }
    this._cursor = svg("line", { class: "cursor", y1: MARGIN.top, y2: this._scale.bottom, visibility: "hidden" });
    picture.append(this._cursor);
    this._element.replaceChildren(picture);
    this._read(this._pointer ?? null);
  }

  _axis(width, height) {
    const { low, high, x, bottom, most, y } = this._scale;
    const step = roundStep(most / 3);
    const count = Math.max(2, Math.floor(width / TICK_DISTANCE_PX));
    const found = [];
    for (let total = step; total <= most; total += step) {
      found.push(svg("line", { class: "grid", x1: 0, x2: width, y1: y(total), y2: y(total) }));
      found.push(svg("text", { x: width / 2, y: y(total) + 13, "text-anchor": "middle" }, round(total)));
    }
    for (let number = 0; number <= count; number++) {
      const price = low + ((high - low) * number) / count;
      const anchor = number === 0 ? "start" : number === count ? "end" : "middle";
      const text = fixed(price, this._decimals);
      found.push(svg("text", { x: x(price), y: height - 5, "text-anchor": anchor }, text));
    }
    found.push(svg("line", { class: "base", x1: 0, x2: width, y1: bottom, y2: bottom }));
    return found;
  }

  _read(pointer) {
    this._pointer = pointer;
    if (!this._scale || !this._cursor) return;
    const level = pointer === null ? null : nearest(this._book, this._scale, pointer);
    this._cursor.setAttribute("visibility", level ? "visible" : "hidden");
    if (!level) return this._onRead("");
    const x = this._scale.x(level.price);
    this._cursor.setAttribute("x1", x);
    this._cursor.setAttribute("x2", x);
    const [verb, way] = level.side === "bids" ? ["bid", "down"] : ["offered", "up"];
    this._onRead(`${compact(level.total)} ${verb} ${way} to ${fixed(level.price, this._decimals)}`);
  }
}

function accumulated(levels) {
  let total = 0;
  return levels.map(([price, quantity]) => ({ price, total: (total += quantity) }));
}

/** As much to the left as to the right of the middle, so that both sides can be compared. */
function scaleOf({ bids, asks }, width, height) {
  if (!bids.length && !asks.length) return null;
  const [bid, ask] = [bids[0]?.price ?? asks[0].price, asks[0]?.price ?? bids[0].price];
  const middle = (bid + ask) / 2;
  const reach = [middle - (bids.at(-1)?.price ?? -Infinity), (asks.at(-1)?.price ?? Infinity) - middle];
  const finite = reach.filter((each) => Number.isFinite(each) && each > 0);
  const half = finite.length ? Math.min(...finite) : middle * 0.001;
  const [low, high] = [middle - half, middle + half];
  const seen = [...bids, ...asks].filter((level) => level.price >= low && level.price <= high);
  const most = Math.max(...seen.map((level) => level.total)) * 1.08;
  const bottom = height - MARGIN.bottom;
  return {
    low,
    high,
    most: most > 0 ? most : 1,
    bottom,
    x: (price) => MARGIN.left + ((price - low) / (high - low)) * (width - MARGIN.left - MARGIN.right),
    y: (total) => bottom - (total / (most || 1)) * (bottom - MARGIN.top),
  };
}

/** A filled area and its outline, from the best price outwards to the edge of the picture. */
function area(levels, { x, y, bottom }, side, edge) {
  if (!levels.length) return [];
  const inside = side === "bids" ? (at) => Math.max(edge, at) : (at) => Math.min(edge, at);
  let steps = `M${inside(x(levels[0].price))},${bottom}`;
  for (const { price, total } of levels) steps += `H${inside(x(price))}V${y(total)}`;
  steps += `H${edge}`;
  const filled = svg("path", { class: `area ${side}`, d: `${steps}V${bottom}Z` });
  return [filled, svg("path", { class: `outline ${side}`, d: steps })];
}

/** The largest of 1, 2, 2.5 and 5 times a power of ten that is not above `limit`. */
function roundStep(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return power * [5, 2.5, 2, 1].find((each) => each * power <= limit);
}

function nearest(book, { x }, pointer) {
  let found = null;
  for (const [side, levels] of Object.entries(book)) {
    for (const level of levels) {
      const distance = Math.abs(x(level.price) - pointer);
      if (!found || distance < found.distance) found = { ...level, side, distance };
    }
  }
  return found;
}

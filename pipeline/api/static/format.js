// Numbers and times as text. Knows nothing of the page.

export const MISSING = "–";
const MINUS = "−";
const MAX_DECIMALS = 12;
const formatters = new Map();

/** How many decimals `value` has: 0.01 → 2, 1.5e-7 → 8. */
export function decimalsOf(value) {
  const [mantissa, exponent = "0"] = String(Number(value)).split("e");
  const fraction = (mantissa.split(".")[1] ?? "").length;
  return Math.min(MAX_DECIMALS, Math.max(0, fraction - Number(exponent)));
}

/** The most decimals of any of these values; null and undefined have none. */
export function mostDecimals(values) {
  return values.reduce((most, value) => (isNumber(value) ? Math.max(most, decimalsOf(value)) : most), 0);
}

/** `value` with exactly this many decimals and commas between thousands. */
export function fixed(value, decimals) {
  if (!isNumber(value)) return MISSING;
  const places = Math.min(MAX_DECIMALS, decimals);
  return withOptions(`fixed ${places}`, { minimumFractionDigits: places, maximumFractionDigits: places }).format(value);
}

/** `value` with all the decimals it has. */
export function exact(value) {
  return isNumber(value) ? fixed(value, decimalsOf(value)) : MISSING;
}

/** `value` in four digits: 1234567 → 1.235M, 45000000 → 45.00M. */
export function compact(value) {
  if (!isNumber(value)) return MISSING;
  const digits = { minimumSignificantDigits: 4, maximumSignificantDigits: 4 };
  return withOptions("compact", { notation: "compact", ...digits }).format(value);
}

/** A round number for an axis: 2500 → 2.5K. */
export function round(value) {
  return withOptions("round", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** A signed percentage with two decimals. */
export function percent(value) {
  if (!isNumber(value)) return MISSING;
  const text = fixed(Math.abs(value), 2);
  const isZero = Number(text) === 0;
  return `${isZero ? "" : value < 0 ? MINUS : "+"}${text}%`;
}

/** "up", "down" or "" for a change. */
export function direction(change) {
  return change > 0 ? "up" : change < 0 ? "down" : "";
}

/** Time of day, UTC: 13:45:02. */
export function clock(ms) {
  return isNumber(ms) ? new Date(ms).toISOString().slice(11, 19) : MISSING;
}

/** 75 → 75 s, 300 → 5 min. */
export function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function withOptions(key, options) {
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat("en-US", options));
  return formatters.get(key);
}

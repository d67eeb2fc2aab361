// A line without axes, in SVG. Knows nothing of requests.

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [96, 30];

/** An SVG element with these attributes. */
export function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

/** The values as a line; null with fewer than two. */
export function sparkline(values, className) {
  if (values.length < 2) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (index) => (index / (values.length - 1)) * WIDTH;
  const y = (value) => HEIGHT - 2 - ((value - low) / (high - low || 1)) * (HEIGHT - 4);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  const options = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: `sparkline ${className}`, preserveAspectRatio: "none" };
  const picture = svg("svg", { ...options, "aria-hidden": "true" });
  picture.append(svg("path", { class: "fill", d: `M0,${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z` }));
  picture.append(svg("polyline", { class: "line", points: points.join(" ") }));
  return picture;
}

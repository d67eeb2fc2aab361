// Requests to the API. Knows its routes and errors; knows nothing of the page.

const TIMEOUT_MS = 8000;

/** A request failed. `message` is for people. */
export class RequestFailed extends Error {}

/** The rows of a route. The address is relative, because a proxy may serve the API under a prefix.
 * Raises RequestFailed. */
export async function rows(path, parameters = {}) {
  let response;
  try {
    response = await fetch(`.${path}?${new URLSearchParams(parameters)}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new RequestFailed("The API does not answer.");
  }
  if (response.status === 503) throw new RequestFailed("Cassandra does not answer.");
  if (!response.ok) throw new RequestFailed(`The API answers with an error (${response.status}).`);
  try {
    return await response.json();
  } catch {
    throw new RequestFailed("The API's answer breaks off.");
  }
}

/** Whether rows are live, simulated or replayed, by the name of their source; null if it says neither. */
export function sourceKind(name) {
  if (name.startsWith("live:")) return "live";
  if (name.startsWith("simulator: replay")) return "replayed";
  return name.startsWith("simulator:") ? "simulated" : null;
}

/** What the projector says of itself in its metrics: how long the oldest record has waited that it read and did not apply. */

const TIMEOUT_MS = 1_000
const LAG = /^courier_projector_lag_time(?:_seconds)?(?:\{[^}]*\})? ([0-9.eE+-]+)/gm

/** In seconds; undefined where it does not answer. Never rejects. @param baseUrl of its health and metrics */
export async function projectorLag(baseUrl: string | undefined): Promise<number | undefined> {
  if (baseUrl === undefined) return undefined
  const text = await fetch(new URL('/metrics', baseUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) })
    .then((response) => (response.ok ? response.text() : ''))
    .catch(() => '')
  return lagIn(text)
}

/** The longest of all partitions in the text of a Prometheus endpoint; undefined where there is none. */
export function lagIn(metrics: string): number | undefined {
  const lags = [...metrics.matchAll(LAG)].map(([, value]) => Number(value)).filter(Number.isFinite)
  return lags.length === 0 ? undefined : Math.max(...lags)
}

/** Asks a service of this container for its health: `node health.ts http://127.0.0.1:4442/health/ready`, exit 0 when it is well. */
const TIMEOUT_MS = 4_000

const [url = ''] = process.argv.slice(2)
const isWell = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
  ({ ok }) => ok,
  () => false,
)
process.exitCode = isWell ? 0 : 1

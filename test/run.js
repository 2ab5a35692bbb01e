/**
 * `npm test`: installs the packages when needed, then runs test/run.ts by the project's own Node 24.
 *   npm test                        everything but bench and chaos
 *   npm test -- test/libs/bus       the files under a folder, or whose path holds these words
 *   node test/run.js --bench | --chaos | --servers
 */
import { ensureInstalled, runNode } from '../deploy/cli/launch.js'

await ensureInstalled()
await runNode('test/run.ts', process.argv.slice(2))

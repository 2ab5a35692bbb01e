#!/usr/bin/env node
/** The command `postrider`, also under the name `ory`: installs the packages when needed, then runs main.ts by the project's own Node 24. */
import { basename, resolve } from 'node:path'
import { ensureInstalled, runNode } from './launch.js'

await ensureInstalled()
// Absolute before anything changes folder: services run in the project's root, the state folder is the caller's.
const home = resolve(process.env.POSTRIDER_HOME || '.postrider')
const name = basename(process.argv[1] ?? '') === 'ory' ? 'ory' : 'postrider'
await runNode('deploy/cli/main.ts', process.argv.slice(2), {
  env: { ...process.env, POSTRIDER_HOME: home, POSTRIDER_COMMAND: name },
})

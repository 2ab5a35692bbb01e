import { Worker } from 'node:worker_threads'

/** The standard input is a pipe that nobody writes to: it ends when the parent does, whatever killed it. */
const WATCH = `
  const { Socket } = require('node:net')
  new Socket({ fd: 0 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume()
`

/**
 * Kills this process when its parent is gone. From a thread, since a template without an end keeps the main one busy for ever; as a
 * string, since a file in TypeScript would cost that thread a compiler of its own.
 */
export function endWithParent(): void {
  new Worker(WATCH, { eval: true, env: {}, resourceLimits: { maxOldGenerationSizeMb: 8 } }).unref()
}

/** The command line. Data on stdout, messages on stderr; exit 0 done, 1 failed, 2 wrong usage. */
import { CommanderError } from 'commander'
import { messageOf } from '#libs/errors'
import { buildProgram } from './build-program.ts'

/** The launcher tells. */
const program = buildProgram(process.env.POSTRIDER_COMMAND || 'postrider')

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has told the user already; asking for help is no mistake.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  console.error(`${program.name()}: ${messageOf(error)}`)
  return 1
}

import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { repeatRefusals } from '../../../deploy/local/repeat-refusals.ts'
import { waitFor } from '../../support/servers.ts'

const refusal = (reason: string) =>
  `${JSON.stringify({ level: 'error', reason, msg: 'configuration refused, the last good one stays' })}\n`

async function follow(t: TestContext): Promise<{ logPath: string; lines: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'refusals-'))
  const logPath = join(folder, 'console-1.log')
  await writeFile(logPath, refusal('of an earlier start'))
  const lines: string[] = []
  const stop = new AbortController()
  const log = (line: string) => lines.push(line)
  const ended = repeatRefusals({ logPath, log, stopping: stop.signal, intervalMs: 10 })
  t.after(async () => {
    stop.abort()
    await ended
    await rm(folder, { recursive: true })
  })
  return { logPath, lines }
}

describe('repeatRefusals', () => {
  it('tells what is refused from now on, once and with its reason, and nothing else', async (t) => {
    const { logPath, lines } = await follow(t)
    await appendFile(logPath, 'no record\n{"level":"info","msg":"configuration taken over"}\n')
    await appendFile(logPath, refusal('courier.nope: unknown key'))
    await waitFor(() => lines.length > 0)
    await appendFile(logPath, refusal('ä second one'))
    await waitFor(() => lines.length > 1)
    const words = 'console: configuration refused, the last good one stays'
    assert.deepEqual(lines, [`${words}\ncourier.nope: unknown key`, `${words}\nä second one`])
  })

  it('waits for the end of a line, and goes on in a log that was begun anew', async (t) => {
    const { logPath, lines } = await follow(t)
    const line = refusal('in two parts, this one is long enough')
    await appendFile(logPath, line.slice(0, 30))
    await appendFile(logPath, line.slice(30))
    await waitFor(() => lines.length === 1)
    await writeFile(logPath, refusal('short'))
    await waitFor(() => lines.length === 2)
    assert.match(lines.join(), /two parts.*short/s)
  })
})

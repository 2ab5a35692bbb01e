import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { waitFor } from '../../support/servers.ts'

function start(body: string, graceMs = 10_000): { child: ChildProcess; output: () => string } {
  const script = `
    import { poll, runService, sleep } from '#libs/lifecycle'
    await runService(async (stopping) => { ${body} }, ${graceMs})`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script])
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
    })
  return { child, output: () => text }
}

async function started(body: string, graceMs?: number) {
  const service = start(`console.log('started'); ${body}`, graceMs)
  await waitFor(() => service.output().includes('started'), { timeoutMs: 20_000 })
  return service
}

describe('runService', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends what runs at ${signal} and exits 0`, async () => {
      const { child, output } = await started(`await sleep(60_000, stopping); console.log('drained')`)
      child.kill(signal)
      const [code] = await once(child, 'close')
      assert.equal(code, 0)
      assert.match(output(), /drained/)
    })
  }

  it('takes a repeated signal for the same one', async () => {
    const { child, output } = await started(`await sleep(60_000, stopping); await sleep(200); console.log('drained')`)
    child.kill('SIGINT')
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    assert.match(output(), /drained/)
  })

  it('exits 1 when the drain takes longer than its grace', async () => {
    const { child, output } = await started('await sleep(60_000)', 100)
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.match(output(), /not drained/)
  })

  it('exits 1 with the words of the error when the body throws', async () => {
    const { child, output } = start(`throw Object.assign(new Error('no secret is set'), { name: 'CodedError' })`)
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.equal(output().trim(), 'no secret is set')
  })
})

describe('poll', () => {
  it('goes on at once after work, and goes on after a throw', async () => {
    const { child, output } = start(`
      let calls = 0
      const stop = new AbortController()
      await poll(async () => {
        calls += 1
        if (calls === 2) throw new Error('once')
        if (calls === 5) stop.abort()
        return 1
      }, stop.signal, (error) => console.log('told', error.message), 1)
      console.log(calls)`)
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    assert.equal(output(), 'told once\n5\n')
  })
})

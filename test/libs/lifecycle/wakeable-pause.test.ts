import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openWakeablePause } from '#libs/lifecycle'

const FOR_EVER_MS = 2 ** 30

describe('openWakeablePause', () => {
  it('ends by itself', async () => {
    await openWakeablePause().pause(1)
  })

  it('ends early when there is news', async () => {
    const { pause, wake } = openWakeablePause()
    const pausing = pause(FOR_EVER_MS)
    wake()
    await pausing
  })

  it('does not begin after news that nobody waited for, once', async () => {
    const { pause, wake } = openWakeablePause()
    wake()
    wake()
    await pause(FOR_EVER_MS)
    let isOver = false
    const second = pause(FOR_EVER_MS).then(() => {
      isOver = true
    })
    await Promise.resolve()
    assert.equal(isOver, false)
    wake()
    await second
  })
})

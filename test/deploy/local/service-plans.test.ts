import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadLocalSettings } from '../../../deploy/local/local-settings.ts'
import { checkScale, planServices } from '../../../deploy/local/service-plans.ts'

describe('checkScale', () => {
  it('takes services that share their work', () => {
    checkScale({ courier: 3, relay: 2, projector: 1 })
  })

  for (const scale of [{ identity: 2 }, { console: 2 }, { mailman: 1 }, { courier: 0 }, { courier: 1.5 }]) {
    it(`refuses ${JSON.stringify(scale)} and says what is allowed`, () => {
      assert.throws(() => checkScale(scale), /--scale .*allowed/)
    })
  }
})

describe('planServices', () => {
  it('names instances, and gives each metrics port once', async () => {
    const settings = loadLocalSettings({ POSTRIDER_HOME: '/tmp/home' }, '/')
    const plans = await planServices({ settings, env: {}, scale: { courier: 3 }, root: '/project' })
    assert.deepEqual(
      plans.map(({ instance }) => instance),
      ['identity-1', 'relay-1', 'courier-1', 'courier-2', 'courier-3', 'projector-1', 'console-1'],
    )
    const metrics = plans.flatMap(({ ports }) => ports.metrics ?? [])
    assert.equal(new Set(metrics).size, 6)
    const second = plans.find(({ instance }) => instance === 'courier-2')
    assert.equal(second?.script, '/project/services/courier/main.ts')
    assert.equal(second?.env.POSTRIDER_INSTANCE, 'courier-2')
    assert.equal(second?.env.POSTRIDER_COURIER_METRICS_PORT, String(second?.ports.metrics))
  })
})

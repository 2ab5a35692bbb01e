import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeKey } from '../keys/make-keys.ts'
import { openConsole } from '../open-console.ts'

describe('the audit log', () => {
  it('has every change of configurations, names and keys, and no secret of theirs', async () => {
    await using console = await openConsole()
    const { headers } = await makeKey(console, { name: 'grace' })
    const ask = async (method: string, path: string, body?: unknown) => {
      const answer = await console.request(method, path, body, headers)
      assert.ok(answer.status < 300, JSON.stringify(answer.body))
      return answer.body
    }
    const project = await ask('POST', '/projects', { name: 'Shop' })
    const smtp = { connection_uri: 'smtp://ada:a-planted-password@mail.example.org:587/' }
    await ask('PUT', `/projects/shop/identity-config`, { courier: { smtp } })
    await ask('PUT', `/projects/shop/identity-config`, { courier: { smtp } }) // no change, no entry
    await ask('PATCH', '/projects/shop', { name: 'Big Shop' })
    const key = await ask('POST', '/admin/keys', { name: 'deploy', role: 'viewer' })
    await ask('DELETE', `/admin/keys/${key.id}`)

    const entries = await ask('GET', '/admin/audit')
    const told = entries.map((entry: Record<string, unknown>) => [
      entry.actor,
      entry.action,
      entry.project_id,
      entry.details,
    ])
    assert.deepEqual(told.slice(0, 5), [
      ['grace', 'key.revoke', null, { key: key.id }],
      ['grace', 'key.create', null, { key: key.id, name: 'deploy', role: 'viewer' }],
      ['grace', 'project.rename', project.id, { name: 'Big Shop' }],
      ['grace', 'project.configure', project.id, { revision: 2 }],
      ['grace', 'project.configure', project.id, { revision: 1 }],
    ])
    assert.ok(!JSON.stringify(entries).includes('planted') && !JSON.stringify(entries).includes(key.token))
  })

  it('has also what no text of the database can hold as it is', async () => {
    await using console = await openConsole()
    const name = 'half a pair \ud800 and more'
    assert.equal((await console.request('PATCH', '/projects/default', { name })).status, 200)
    const [entry] = (await console.request('GET', '/admin/audit')).body
    assert.deepEqual([entry.action, entry.details], ['project.rename', { name: 'half a pair \ufffd and more' }])
  })
})

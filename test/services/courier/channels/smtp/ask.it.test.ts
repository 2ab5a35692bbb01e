import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SinkScript } from '../../../../support/smtp-sink.ts'
import { openFixture } from './smtp-fixture.ts'

const ADA = 'ada@example.org'
const [user, password] = ['login-name', 'a-secret-of-the-login']
const base64 = (text: string): string => Buffer.from(text).toString('base64')
/** Each as it is, and as it goes over the wire. */
const SECRETS = [password, base64(password), base64(user), base64(`\0${user}\0${password}`)]
const URI = `smtp://${user}:${password}@127.0.0.1:PORT/?disable_starttls=true`

/** Repeats what it was told. */
function echoing(mechanisms: readonly string[]): SinkScript {
  return {
    auth: { user, password: 'another', mechanisms: [...mechanisms] },
    answer: (command, line) => (command === 'AUTH' && line.length > 12 ? `535 5.7.8 Not so: ${line}` : undefined),
  }
}

describe('the conversation of a failed try', () => {
  it('has each command and each reply of the login, and its secrets nowhere', async () => {
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
      await using fixture = await openFixture(echoing([mechanism]), {}, URI)
      const { failure, reply, conversation } = await fixture.send(ADA)
      assert.equal(failure?.command, 'AUTH', mechanism)
      assert.ok(conversation?.some((line) => line.startsWith(`C: AUTH ${mechanism}`)))
      assert.ok(conversation?.some((line) => line.startsWith('S: 535 5.7.8')))
      const shown = JSON.stringify([failure, reply, conversation])
      for (const secret of SECRETS) assert.ok(!shown.includes(secret), `${mechanism}: ${shown}`)
    }
  })

  it('keeps the words of a server that repeats the secret, without it', async () => {
    await using fixture = await openFixture(echoing(['PLAIN']), {}, URI)
    const { reply, conversation } = await fixture.send(ADA)
    assert.equal(reply?.text, '5.7.8 Not so: AUTH PLAIN ***')
    assert.deepEqual(conversation?.slice(-2), ['C: AUTH PLAIN ***', 'S: 535 5.7.8 Not so: AUTH PLAIN ***'])
  })

  it('has nothing of the mail', async () => {
    await using fixture = await openFixture({ answer: (command) => (command === 'DOT' ? '554 5.7.1 No' : undefined) })
    const { conversation } = await fixture.send(ADA, { subject: 'Code 731904', text: 'Use 731904.\n' })
    assert.deepEqual(conversation?.slice(-2), ['C: (the mail)', 'S: 554 5.7.1 No'])
    assert.doesNotMatch(JSON.stringify(conversation), /731904|Subject/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openReplyReader, type SmtpReply } from '../../../libs/smtp/smtp-reply.ts'

/** All replies in `bytes`, which arrive cut at the given places. */
function read(bytes: Buffer, cuts: readonly number[] = []): (SmtpReply | 'garbage')[] {
  const reader = openReplyReader()
  const replies: (SmtpReply | 'garbage')[] = []
  let start = 0
  for (const end of [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]) {
    reader.push(bytes.subarray(start, end))
    for (let reply = reader.next(); reply !== undefined && replies.at(-1) !== 'garbage'; reply = reader.next()) {
      replies.push(reply)
    }
    start = end
  }
  return replies
}

describe('openReplyReader', () => {
  it('joins the lines of one reply and reads the enhanced code of its first', () => {
    const replies = read(Buffer.from('250-2.1.5 One\r\n250-two\r\n250 three\r\n354 Go\r\n'))
    assert.deepEqual(replies, [
      { code: 250, enhanced: '2.1.5', lines: ['2.1.5 One', 'two', 'three'] },
      { code: 354, enhanced: undefined, lines: ['Go'] },
    ])
  })

  it('takes codes without text, bare line feeds, UTF-8 and Latin-1', () => {
    const latin1 = Buffer.from('550 f\xfcr\r\n', 'latin1')
    const replies = read(Buffer.concat([Buffer.from('250\r\n220 hi\n550 für\r\n'), latin1]))
    assert.deepEqual(
      replies.map((reply) => reply !== 'garbage' && reply.lines),
      [[''], ['hi'], ['für'], ['für']],
    )
  })

  it('gives the same replies however the bytes are cut', () => {
    const bytes = Buffer.from('250-8BITMIME\r\n250 SIZE 1000\r\n550 5.1.1 Nie gehört\r\n')
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length - 1)), (cuts) => assert.deepEqual(read(bytes, cuts), read(bytes))),
    )
  })

  it('calls what is no SMTP garbage, also when it never ends a line', () => {
    for (const bytes of ['SSH-2.0-OpenSSH\r\n', 'x'.repeat(9_000), '250-a\r\n'.repeat(300)]) {
      assert.equal(read(Buffer.from(bytes)).at(-1), 'garbage')
    }
  })
})

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { SAMPLE_DATA, TEMPLATE_KINDS } from '#libs/templates'
import { builtinEmail, builtinSms } from '../../../libs/templates/builtin-templates.ts'

const BUILTIN = join(import.meta.dirname, '../../../libs/templates/builtin')
const EMAIL_FILES = ['email.body.gotmpl', 'email.body.plaintext.gotmpl', 'email.subject.gotmpl']

function read(file: string): string {
  return readFileSync(join(BUILTIN, file), 'utf8')
}

const bodies = globSync('**/email.body.gotmpl', { cwd: BUILTIN })

describe('the built-in templates', () => {
  it('are there for every type and channel, and no file is left over', () => {
    const expected = Object.values(TEMPLATE_KINDS).flatMap(({ folder, fields }) =>
      folder === undefined
        ? []
        : [...EMAIL_FILES, ...(fields.sms ? ['sms.body.gotmpl'] : [])].map((file) => `${folder}/${file}`),
    )
    assert.deepEqual(globSync('**/*.gotmpl', { cwd: BUILTIN }).sort(), expected.sort())
  })

  it('all compile', () => {
    for (const { templateType, channel } of SAMPLE_DATA) {
      if (templateType === 'stub') continue
      assert.ok(channel === 'sms' ? builtinSms(templateType) : builtinEmail(templateType))
    }
  })

  it('are compiled once', () => {
    assert.equal(builtinEmail('login_code_valid'), builtinEmail('login_code_valid'))
    assert.equal(builtinSms('login_code_valid'), builtinSms('login_code_valid'))
  })

  for (const file of bodies) {
    it(`${file} is small, complete and asks nobody else for anything`, () => {
      const html = read(file)
      assert.ok(Buffer.byteLength(html) <= 4_096)
      assert.match(html, /^<!DOCTYPE html>/)
      assert.doesNotMatch(html, /https?:|src=|url\(|@import|<link|<script|<img/i)
      assert.match(html, /prefers-color-scheme:dark/)
      assert.match(html, /<div style="display:none;[^"]*">[^<]+<\/div>/)
    })

    it(`${file} closes every element that it opens, in order`, () => {
      const open: string[] = []
      for (const [, close, name = ''] of read(file).matchAll(/<(\/?)([a-z][a-z0-9]*)/g)) {
        if (close === '/') assert.equal(open.pop(), name)
        else if (!['meta', 'br'].includes(name)) open.push(name)
      }
      assert.deepEqual(open, [])
    })
  }

  it('share one look: the same head but for the title', () => {
    const heads = bodies.map((file) =>
      read(file)
        .split('</head>')[0]
        ?.replace(/<title>.*<\/title>/, ''),
    )
    assert.equal(new Set(heads).size, 1)
  })
})

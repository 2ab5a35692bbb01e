import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { htmlOf } from '../../../services/identity/page.ts'

describe('htmlOf', () => {
  it('lets no text become markup', () => {
    const evil = `"><script>alert('1')</script>&`
    const html = htmlOf({
      title: evil,
      text: evil,
      copy: evil,
      form: { action: evil, fields: { [evil]: evil }, button: evil },
    })
    assert.ok(!html.includes('<script') && !html.includes("'1'"))
    assert.match(html, /action="&#34;&#62;&#60;script&#62;/)
  })
})

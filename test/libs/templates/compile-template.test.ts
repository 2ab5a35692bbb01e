import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { compileHtml, compileText } from '../../../libs/templates/compile-template.ts'
import { FIELDS } from './model.ts'

interface Printed {
  readonly mode: 'text' | 'html'
  readonly template: string
  readonly data: Record<string, unknown>
  /** What Go 1.26 printed, with the model as a struct and the data decoded by encoding/json. */
  readonly printed: string
}

const CASES = readFileSync(join(import.meta.dirname, 'go-printed.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Printed)

describe('a compiled template', () => {
  for (const { mode, template, data, printed } of CASES) {
    it(`prints as Go does: ${mode} ${JSON.stringify(template)} of ${JSON.stringify(data)}`, () => {
      const compile = mode === 'html' ? compileHtml : compileText
      assert.equal(compile(template, FIELDS)(data), printed)
    })
  }

  it('never takes a value for a template', () => {
    const text = compileText('{{ .Name }}', FIELDS)
    assert.equal(text({ name: '{{ .Identity }}' }), '{{ .Identity }}')
  })

  it('does not see what objects inherit', () => {
    const text = compileText('{{ .Identity.constructor }} {{ .Identity.__proto__ }}', FIELDS)
    assert.equal(text({ identity: {} }), '<no value> <no value>')
  })

  for (const id of ['a text', 3, ['x'], null]) {
    it(`fails below ${JSON.stringify(id)}, as Go does, without quoting it`, () => {
      const text = compileText('{{ .Identity.id.below }}', FIELDS)
      assert.throws(
        () => text({ identity: { id } }),
        (error) => isCoded(error, 'TEMPLATE_DATA_INVALID') && !error.message.includes('a text'),
      )
    })
  }
})

describe('compileText', () => {
  const refused = [
    '{{ .Nope }}',
    '{{ .Name | upper }}',
    '{{ range .Identity }}{{ end }}',
    '{{ if eq .Name "x" }}{{ end }}',
    '{{ if .Name }}',
    '{{ if .Name }}{{ else }}{{ else }}{{ end }}',
    '{{ if .Name }}{{ else if .Identity }}{{ end }}',
    '{{ end }}',
    '{{ else }}',
    '{{ .Name',
    '{{ }}',
    '{{-.Name}}',
    '{{ . }}',
    '{{ $x := .Name }}',
    '{{ "x" }}',
    '{{/* a */ }}',
  ]
  for (const source of refused) {
    it(`refuses ${source} when it is loaded`, () => {
      assert.throws(() => compileText(source, FIELDS), /^Error: template: /)
    })
  }
})

describe('compileHtml', () => {
  const refused = [
    '<script>{{ .Name }}</script>',
    '<style>{{ .Name }}</style>',
    '<style>a{/* comment */}</style>',
    '<title>{{ .Name }}</title>',
    '<p style="color:{{ .Name }}">',
    '<p onclick="{{ .Name }}">',
    '<meta content="{{ .Name }}">',
    '<p {{ .Name }}>',
    '<{{ .Name }}>',
    "<a href='{{ .Name }}'>",
    '<a href={{ .Name }}>',
    '<!-- {{ .Name }} -->',
    '<!-- comment -->',
    '1 < 2',
    '<p',
    '<a href="',
    '{{ if .Name }}<p title="{{ else }}<p>{{ end }}">',
  ]
  for (const source of refused) {
    it(`refuses ${source} when it is loaded`, () => {
      assert.throws(() => compileHtml(source, FIELDS), /^Error: template: /)
    })
  }

  it('applies the escapers that it is given, in the order of the document', () => {
    const html = compileHtml('{{ if .Name }}{{ .Name }}{{ else }}-{{ end }} {{ .Name }}', FIELDS, () => [
      ['urlescaper'],
      ['urlnormalizer', 'attrescaper'],
    ])
    assert.equal(html({ name: 'a&b' }), 'a%26b a&amp;b')
  })

  it('refuses a list of escapers that is too short', () => {
    assert.throws(() => compileHtml('{{ .Name }}{{ .Name }}', FIELDS, () => [['htmlescaper']]), /fewer escapers/)
  })
})

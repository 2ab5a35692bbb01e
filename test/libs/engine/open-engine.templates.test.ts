/** Go's templates as Kratos renders them: the language, escaping by context, fields, and which functions there are. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { openEngine, type TemplateJob } from '#libs/engine'

const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => engine[Symbol.asyncDispose]())

const DATA = {
  To: 'ada@example.org',
  Identity: { id: 'i', traits: { n: 3, list: ['a', 'b'], name: '<b>Jö</b>' } },
  TransientPayload: null,
  ExpiresInMinutes: 15,
  RequestURL: `a+b'"<`,
}
const FIELDS = ['To', 'Identity', 'TransientPayload', 'ExpiresInMinutes', 'RequestURL', 'RecoveryCode']

function render(mode: TemplateJob['mode'], source: string, options: Partial<TemplateJob> = {}) {
  return engine.renderTemplate({
    mode,
    files: { 'email.body.gotmpl': source },
    main: 'email.body.gotmpl',
    dataJson: JSON.stringify(DATA),
    fields: FIELDS,
    ...options,
  })
}

async function rendered(mode: TemplateJob['mode'], source: string, options?: Partial<TemplateJob>): Promise<string> {
  const answer = await render(mode, source, options)
  assert.ok(answer.ok, answer.ok ? '' : answer.message)
  return answer.text
}

/** Source, as text, as HTML. */
const TABLE: [source: string, text: string, html: string][] = [
  ['{{ .Identity.traits.missing }}', '<no value>', ''],
  ['{{ .Identity.missing.deep }}', '<no value>', ''],
  ['{{ index .TransientPayload "k" }}', '<no value>', ''],
  ['{{ .TransientPayload.k }}', '<no value>', ''],
  ['{{ .TransientPayload }}', 'map[]', 'map[]'],
  ['{{ .Identity.traits.n }}', '3', '3'],
  ['{{ .Identity.traits.list }}', '[a b]', '[a b]'],
  [
    '{{ .Identity }}',
    'map[id:i traits:map[list:[a b] n:3 name:<b>Jö</b>]]',
    'map[id:i traits:map[list:[a b] n:3 name:&lt;b&gt;Jö&lt;/b&gt;]]',
  ],
  ['{{ if eq .Identity.traits.lang "de" }}x{{ else }}y{{ end }}', 'y', 'y'],
  ['{{ .Identity.traits.name | upper | trunc 4 }}', '<B>J', '&lt;B&gt;J'],
  ['<a href="{{ .RequestURL }}">', `<a href="a+b'"<">`, '<a href="a&#43;b%27%22%3c">'],
  ['<i>{{ .RequestURL }}</i>', `<i>a+b'"<</i>`, '<i>a&#43;b&#39;&#34;&lt;</i>'],
  ['<a href="{{ "javascript:alert(1)" }}">', '<a href="javascript:alert(1)">', '<a href="#ZgotmplZ">'],
  [
    '<script>var x = {{ .Identity.traits }};</script>',
    '<script>var x = map[list:[a b] n:3 name:<b>Jö</b>];</script>',
    String.raw`<script>var x = {"list":["a","b"],"n":3,"name":"\u003cb\u003eJö\u003c/b\u003e"};</script>`,
  ],
  ['<p style="color: {{ .To }}">', '<p style="color: ada@example.org">', '<p style="color: ZgotmplZ">'],
  ['<!-- c -->x', '<!-- c -->x', 'x'],
  ['{{ if eq .ExpiresInMinutes 15 }}soon{{ end }}', 'soon', 'soon'],
  ['{{ .RecoveryCode | default "none" }}', 'none', 'none'],
  ['{{ range $k, $v := .Identity.traits }}{{ $k }},{{ end }}', 'list,n,name,', 'list,n,name,'],
  ['{{ range .Identity.traits.none }}x{{ else }}empty{{ end }}', 'empty', 'empty'],
  ['{{ with .Identity.traits.n }}{{ . }}{{ end }}{{- /* gone */ -}} z', '3z', '3z'],
  ['{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .To }}', '[ada@example.org]', '[ada@example.org]'],
  ['{{ block "y" .ExpiresInMinutes }}{{ printf "%03d" . }}{{ end }}', '015', '015'],
]

describe('renderTemplate', () => {
  for (const [source, text, html] of TABLE) {
    it(`renders ${source} as text`, async () => assert.equal(await rendered('text', source), text))
    it(`renders ${source} as HTML`, async () => assert.equal(await rendered('html', source), html))
  }

  it('lets a file use the others of its folder', async () => {
    const files = {
      'email.body.gotmpl': '{{ template "email.body.de.gotmpl" . }}{{ template "footer" }}',
      'email.body.de.gotmpl': 'Hallo {{ .To }}{{ define "footer" }} - Ende{{ end }}',
    }
    assert.equal(await rendered('html', '', { files }), 'Hallo ada@example.org - Ende')
    assert.equal(await rendered('text', '', { files }), 'Hallo ada@example.org - Ende')
  })

  it('never takes one folder, mode or file for another', async () => {
    const source = '{{ .RequestURL }}'
    assert.equal(await rendered('text', source), `a+b'"<`)
    assert.equal(await rendered('html', source), 'a&#43;b&#39;&#34;&lt;')
    assert.equal(await rendered('text', source), `a+b'"<`)
    const files = { one: '1', two: '2' }
    assert.equal(await rendered('text', '', { files, main: 'one' }), '1')
    assert.equal(await rendered('text', '', { files, main: 'two' }), '2')
    assert.equal(await rendered('text', '{{ set .Identity "id" "changed" | len }}'), '2')
    assert.equal(await rendered('text', '{{ .Identity.id }}'), 'i')
  })

  for (const mode of ['text', 'html'] as const)
    it(`refuses a field that the ${mode} data cannot have, and names those it has`, async () => {
      const answer = await render(mode, '{{ .Nope }}')
      assert.ok(!answer.ok)
      assert.equal(answer.kind, 'runtime')
      assert.match(answer.message, /at <\.Nope>: can't evaluate field Nope in type TemplateData\{To, Identity, /)
    })

  it('prints nothing known for a missing key where the fields are not given', async () => {
    const job = { mode: 'text', files: { a: '{{ .Nope }} {{ .To }}' }, main: 'a', dataJson: '{"To":"t"}' } as const
    assert.deepEqual(await engine.renderTemplate(job), { ok: true, text: '<no value> t' })
  })

  const FAILURES: [source: string, kind: string, message: RegExp][] = [
    ['{{ 1', 'parse', /unclosed action/],
    ['{{ template "none" }}', 'runtime', /template "none" not defined|no such template "none"/],
    ['{{ fail "no" }}', 'runtime', /error calling fail: no/],
    ['{{ div 1 0 }}', 'runtime', /integer divide by zero/],
  ]
  for (const [source, kind, message] of FAILURES)
    it(`answers ${source} with a ${kind} error`, async () => {
      const answer = await render('text', source)
      assert.ok(!answer.ok)
      assert.equal(answer.kind, kind)
      assert.match(answer.message, message)
    })

  it('refuses HTML in which it cannot tell how to escape', async () => {
    const answer = await render('html', '<a href="{{ if .To }}"{{ end }}>')
    assert.ok(!answer.ok)
    assert.equal(answer.kind, 'parse')
    assert.match(answer.message, /branches end in different contexts/)
  })
})

const PRESENT: [call: string, text: string][] = [
  ['upper "a"', 'A'],
  ['title "ada lovelace"', 'Ada Lovelace'],
  ['default "d" ""', 'd'],
  ['trunc 2 "abc"', 'ab'],
  ['nospace "a b"', 'ab'],
  ['cat "a" "b"', 'a b'],
  ['lower "A"', 'a'],
  ['trim " a "', 'a'],
  ['replace "a" "b" "aa"', 'bb'],
  ['join "-" (list 1 2)', '1-2'],
  ['ternary "y" "n" true', 'y'],
  ['coalesce "" "x"', 'x'],
  ['toJson (dict "a" 1)', '{"a":1}'],
  ['b64enc "a"', 'YQ=='],
  ['sha256sum "a" | trunc 8', 'ca978112'],
  ['regexReplaceAll "[0-9]+" "a1b22" "#"', 'a#b#'],
  ['add 1 2', '3'],
  ['dig "a" "none" (dict "a" "x")', 'x'],
  ['(urlParse "https://e.org/p").host', 'e.org'],
  ['plural "one" "many" 2', 'many'],
]
const ABSENT = [
  ...['now', 'date', 'env', 'expandenv', 'getHostByName', 'randAlphaNum', 'randBytes', 'uuidv4'],
  ...['genPrivateKey', 'genCA', 'genSelfSignedCert', 'genSignedCert', 'buildCustomCert', 'bcrypt', 'htpasswd'],
  ...['derivePassword', 'encryptAES', 'decryptAES'],
]

describe('the functions of renderTemplate', () => {
  for (const [call, text] of PRESENT)
    it(`have ${call}`, async () => assert.equal(await rendered('text', `{{ ${call} }}`), text))

  for (const name of ABSENT)
    it(`have no ${name}`, async () => {
      const answer = await render('html', `{{ ${name} }}`)
      assert.ok(!answer.ok)
      assert.equal(answer.kind, 'parse')
      assert.match(answer.message, new RegExp(`function "${name}" not defined`))
    })

  it('draw random numbers that differ from engine to engine', async () => {
    await using other = openEngine({ workers: 1, timeoutMs: 120_000 })
    const job = { mode: 'text', files: { a: '{{ randInt 0 2000000000 }}' }, main: 'a', dataJson: '{}' } as const
    assert.notDeepEqual(await engine.renderTemplate(job), await other.renderTemplate(job))
  })
})

describe('escapers', () => {
  it('lists what Go puts behind every printed value, in the order of the text', async () => {
    const files = {
      a: `{{ $x := .To }}<a href="{{ .URL }}" title={{ .To | upper }}>{{ .To }}</a>{{ if .To }}{{ $x }}{{ else }}-{{ end }}
        {{ template "b" . }}<a href="/x?q={{ .To }}"><script>f({{ .To }})</script><title>{{ .To }}</title>`,
      b: '<i title="{{ .To }}"></i>{{ template "b" . }}',
    }
    assert.deepEqual(await engine.escapers({ files, main: 'a' }), {
      ok: true,
      actions: [
        { action: '.URL', escapers: ['urlfilter', 'urlnormalizer', 'attrescaper'] },
        { action: '.To | upper', escapers: ['nospaceescaper'] },
        { action: '.To', escapers: ['htmlescaper'] },
        { action: '$x', escapers: ['htmlescaper'] },
        { action: '.To', escapers: ['attrescaper'] },
        { action: '.To', escapers: ['urlescaper', 'attrescaper'] },
        { action: '.To', escapers: ['jsvalescaper'] },
        { action: '.To', escapers: ['rcdataescaper'] },
      ],
    })
  })

  it('is empty where nothing is printed', async () => {
    assert.deepEqual(await engine.escapers({ files: { a: '<p>hi</p>' }, main: 'a' }), { ok: true, actions: [] })
  })

  it('refuses what cannot be escaped and a file that is not there', async () => {
    for (const job of [
      { files: { a: '<a href="{{ if .To }}"{{ end }}>' }, main: 'a' },
      { files: { a: '' }, main: 'b' },
    ]) {
      const answer = await engine.escapers(job)
      assert.ok(!answer.ok)
      assert.equal(answer.kind, 'parse')
    }
  })
})

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { openEngine } from '#libs/engine'
import { CodedError, isCoded } from '#libs/errors'
import {
  type MessageParts,
  openTemplates,
  type RenderRequest,
  renderMessage,
  sampleData,
  type TemplateProblem,
  type TemplatesOptions,
  toldProblem,
} from '#libs/templates'

const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => engine[Symbol.asyncDispose]())

const FOLDER = 'login_code/valid'
const REQUEST: RenderRequest = {
  templateType: 'login_code_valid',
  channel: 'email',
  data: sampleData('login_code_valid'),
}
const BUILTIN = renderMessage(REQUEST)
const PREFIX = 'courier.templates.login_code.valid'

/** Templates over a folder of `files`, with what they reported. */
async function overFolder(t: TestContext, files: Record<string, string>, options: Partial<TemplatesOptions> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'postrider-overrides-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const write = async (file: string, source: string): Promise<void> => {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), source)
  }
  for (const [file, source] of Object.entries(files)) await write(file, source)
  const opened = open({ overridePath: root, ...options })
  return { ...opened, root, write, path: (file: string) => join(root, FOLDER, file) }
}

function open(options: Partial<TemplatesOptions>) {
  const problems: TemplateProblem[] = []
  const clock = { nowMs: 0 }
  const templates = openTemplates({
    engine,
    resources: { load: async (uri) => Buffer.from(uri.replace(/^\w+:\/\//, '')) },
    templates: {},
    now: () => clock.nowMs,
    onProblem: (problem) => problems.push(problem),
    ...options,
  })
  return { templates, problems, clock }
}

/** A configuration in which `base64://` stands for its own text. */
function configured(email: { subject?: string; plaintext?: string; html?: string }): TemplatesOptions['templates'] {
  const { subject, ...body } = email
  return {
    login_code: { valid: { email: { ...(subject !== undefined && { subject }), body } } },
  } as TemplatesOptions['templates']
}

function parts(rendered: MessageParts | Promise<MessageParts>): MessageParts {
  assert.ok(!(rendered instanceof Promise))
  return rendered
}

describe('render', () => {
  it('gives built-in parts at once, no promise, where nothing of one’s own can be', () => {
    const { templates } = open({ templates: configured({ subject: 'base64://own' }) })
    const other = { ...REQUEST, templateType: 'recovery_invalid', data: sampleData('recovery_invalid') }
    assert.deepEqual(parts(templates.render(other)), renderMessage(other))
    const stub = { ...REQUEST, templateType: 'stub', data: sampleData('stub') }
    assert.deepEqual(parts(templates.render(stub)), renderMessage(stub))
  })

  it('gives built-in parts at once where it knows that the folder has none', async (t) => {
    const { templates } = await overFolder(t, {})
    const first = templates.render(REQUEST)
    assert.ok(first instanceof Promise)
    assert.deepEqual(await first, BUILTIN)
    assert.deepEqual(parts(templates.render(REQUEST)), BUILTIN)
  })

  it('takes each part from the configuration, else from the folder, else built in', async (t) => {
    const { templates } = await overFolder(
      t,
      {
        [`${FOLDER}/email.subject.gotmpl`]: 'folder',
        [`${FOLDER}/email.body.plaintext.gotmpl`]: 'folder {{ .LoginCode }}',
      },
      { templates: configured({ subject: 'base64:// {{ .LoginCode }} of {{ .To }}\n' }) },
    )
    assert.deepEqual(await templates.render(REQUEST), {
      subject: '639425 of ada@example.org',
      text: 'folder 639425',
      html: BUILTIN.html!,
    })
  })

  it('takes an empty URI for none, and an empty HTML for a mail of plain text', async () => {
    const { templates } = open({ templates: configured({ subject: '', html: 'base64://\n' }) })
    assert.deepEqual(await templates.render(REQUEST), { subject: BUILTIN.subject, text: BUILTIN.text })
  })

  it('escapes in HTML by context, and nowhere else', async () => {
    const source = 'base64://<a href="{{ .LoginCode }}">{{ .LoginCode }}</a>'
    const { templates } = open({ templates: configured({ plaintext: source, html: source }) })
    const { text, html } = await templates.render({ ...REQUEST, data: { login_code: 'javascript:"x"' } })
    assert.equal(text, '<a href="javascript:"x"">javascript:"x"</a>')
    assert.equal(html, '<a href="#ZgotmplZ">javascript:&#34;x&#34;</a>')
  })

  it('renders an SMS', async (t) => {
    const { templates } = await overFolder(t, {
      [`${FOLDER}/sms.body.gotmpl`]: '{{ .LoginCode }} for {{ .RequestURLDomain }}',
    })
    const data = sampleData('login_code_valid', 'sms')
    assert.deepEqual(await templates.render({ ...REQUEST, channel: 'sms', data }), {
      subject: '',
      text: '639425 for example.org',
    })
  })

  it('chooses the file of the locale, with the others of the set at hand', async (t) => {
    const { templates } = await overFolder(t, {
      [`${FOLDER}/email.subject.gotmpl`]: 'plain',
      [`${FOLDER}/email.subject.de.gotmpl`]: 'deutsch, {{ template "email.subject.gotmpl" . }}',
    })
    assert.equal((await templates.render(REQUEST)).subject, 'plain')
    assert.equal((await templates.render({ ...REQUEST, locale: 'de-CH' })).subject, 'deutsch, plain')
    assert.equal((await templates.render({ ...REQUEST, locale: 'fr' })).subject, 'plain')
  })

  it('shows the headers of the user’s request, and no header as none', async () => {
    const { templates } = open({
      templates: configured({ subject: 'base64://{{ index .UserRequestHeaders "Accept-Language" }}' }),
    })
    const requestHeaders = { 'Accept-Language': ['de', 'en'] }
    assert.equal((await templates.render({ ...REQUEST, requestHeaders })).subject, '[de en]')
    assert.equal((await templates.render(REQUEST)).subject, '<no value>')
  })

  it('refuses wrong data before it looks for templates', () => {
    const { templates } = open({ templates: configured({ subject: 'base64://x' }) })
    assert.throws(
      () => templates.render({ ...REQUEST, data: {} }),
      (error) => isCoded(error, 'TEMPLATE_DATA_INVALID'),
    )
  })

  it('sees a changed file when its copy is no longer good', async (t) => {
    const { templates, write, clock } = await overFolder(t, { [`${FOLDER}/email.subject.gotmpl`]: 'one' })
    assert.equal((await templates.render(REQUEST)).subject, 'one')
    await write(`${FOLDER}/email.subject.gotmpl`, 'two')
    clock.nowMs = 59_999
    assert.equal((await templates.render(REQUEST)).subject, 'one')
    clock.nowMs = 60_000
    assert.equal((await templates.render(REQUEST)).subject, 'two')
  })

  it('serves the last copy when the folder goes away', async (t) => {
    const { templates, root, problems, clock } = await overFolder(t, { [`${FOLDER}/email.subject.gotmpl`]: 'one' })
    await templates.render(REQUEST)
    await rm(root, { recursive: true })
    clock.nowMs = 60_000
    assert.equal((await templates.render(REQUEST)).subject, 'one')
    assert.deepEqual(problems, [])
  })
})

describe('a template of one’s own that does not work', () => {
  it('gives way to the built-in part, is told once, and again when it changed', async (t) => {
    const { templates, problems, write, clock, path } = await overFolder(t, {
      [`${FOLDER}/email.subject.gotmpl`]: 'mine\n{{ .Nope }}',
      [`${FOLDER}/email.body.plaintext.gotmpl`]: 'mine',
    })
    for (let mail = 0; mail < 3; mail += 1)
      assert.deepEqual(await templates.render(REQUEST), { ...BUILTIN, text: 'mine' })
    const file = path('email.subject.gotmpl')
    assert.deepEqual(
      problems.map(({ origin, line, column }) => [origin, line, column]),
      [[file, 2, 4]],
    )
    clock.nowMs = 60_000
    await templates.render(REQUEST)
    assert.equal(problems.length, 1)
    clock.nowMs = 120_000
    await write(`${FOLDER}/email.subject.gotmpl`, '{{ .Other }}')
    await templates.render(REQUEST)
    assert.equal(problems.length, 2)
  })

  it('is told once as long as it cannot be loaded', async () => {
    let isUp = false
    const { templates, problems, clock } = open({
      templates: configured({ subject: 'https://templates.example.org/secret?token=planted' }),
      resources: {
        load: async () => {
          if (!isUp) throw new CodedError('RESOURCE_UNAVAILABLE', 'templates.example.org answered 500')
          return Buffer.from('mine')
        },
      },
    })
    for (let mail = 0; mail < 3; mail += 1) assert.deepEqual(await templates.render(REQUEST), BUILTIN)
    assert.deepEqual(problems.map(toldProblem), [
      `${PREFIX}.email.subject templates.example.org answered 500 (subject of login_code_valid, email)`,
    ])
    isUp = true
    clock.nowMs = 60_000
    assert.equal((await templates.render(REQUEST)).subject, 'mine')
  })

  it('waits for a busy engine, and gives way to one in trouble', async () => {
    let calls = 0
    const renderTemplate = async () => {
      calls += 1
      if (calls === 1) throw new CodedError('ENGINE_BUSY', 'too many wait')
      if (calls === 2) return { ok: true as const, text: 'mine' }
      throw new Error('the engine is closed')
    }
    const { templates, problems } = open({
      engine: { renderTemplate },
      templates: configured({ subject: 'base64://x' }),
    })
    assert.equal((await templates.render(REQUEST)).subject, 'mine')
    assert.deepEqual(await templates.render(REQUEST), BUILTIN)
    assert.deepEqual(
      problems.map(({ problem }) => problem),
      ['the engine is closed'],
    )
  })

  const LEAKS = [
    '{{ fail .LoginCode }}',
    '{{ range .LoginCode }}{{ end }}',
    '{{ .LoginCode | mustToDate "2006" }}',
    '{{ .LoginCode | mustRegexFind .LoginCode }}',
    '{{ .LoginCode | mustFromJson }}',
    '{{ index .Identity .LoginCode "x" }}',
    '{{ .LoginCode.x }}',
    '{{ call .LoginCode }}',
    '{{ gt .LoginCode 3 }}',
    '{{ template "none" .LoginCode }}',
    '{{ slice .LoginCode 0 99 }}',
    '{{ repeat 100000000 .LoginCode }}',
    '{{ .Identity.id.planted }}',
    '<a href="{{ if .LoginCode }}"{{ end }}>',
  ]
  for (const source of LEAKS) {
    it(`tells where ${source} fails, and no value`, async () => {
      const { templates, problems } = open({ templates: configured({ html: `base64://${source}` }) })
      const data = { login_code: '[Zx-902817-planted-value', identity: { id: '902817' } }
      const { html } = await templates.render({ ...REQUEST, data })
      assert.equal(html, renderMessage({ ...REQUEST, data }).html)
      assert.equal(problems.length, 1)
      assert.doesNotMatch(toldProblem(problems[0]!), /902817|planted-value|Zx/)
      assert.match(toldProblem(problems[0]!), /^courier\.templates\.login_code\.valid\.email\.body\.html(:1:\d+)? \S/)
    })
  }
})

describe('validate', () => {
  it('finds nothing where all is well, and where nothing is of one’s own', async (t) => {
    const { templates } = await overFolder(t, {
      [`${FOLDER}/email.subject.gotmpl`]: '{{ .Identity.traits.name.first }}',
    })
    assert.deepEqual(await templates.validate(), [])
    assert.deepEqual(await open({}).templates.validate(), [])
  })

  it('tells file or key, place, and the remedy of every problem', async (t) => {
    const { templates, problems, path } = await overFolder(
      t,
      {
        [`${FOLDER}/email.subject.gotmpl`]: 'fine',
        [`${FOLDER}/email.subject.de.gotmpl`]: '{{ now }}',
        [`${FOLDER}/email.body.gotmpl`]: 'one\ntwo {{ .LoginCod }}',
        [`${FOLDER}/sms.body.gotmpl`]: '{{ fail "no" }}',
      },
      { templates: configured({ plaintext: 'base64://{{ if }}' }) },
    )
    const found = (await templates.validate()).map(toldProblem)
    assert.equal(found.length, 4)
    const [subject = '', text, html = '', sms] = found
    // Go parses the whole set for either of its files.
    assert.ok(subject.startsWith(`${path('email.subject.de.gotmpl')}:1 there is no function now; of sprig's there are`))
    assert.equal(text, `${PREFIX}.email.body.plaintext:1 missing value for if (text of login_code_valid, email)`)
    assert.ok(
      html.startsWith(
        `${path('email.body.gotmpl')}:2:8 this type of message has no field LoginCod, only LoginCode, Identity`,
      ),
    )
    assert.equal(sms, `${path('sms.body.gotmpl')}:1:4 error calling fail: no (text of login_code_valid, sms)`)
    assert.deepEqual(problems, [])
  })

  it('tells once that the folder does not exist', async () => {
    const { templates } = open({ overridePath: '/nonexistent/templates' })
    const problems = await templates.validate()
    assert.deepEqual([...new Set(problems.map(({ problem }) => problem))], ['/nonexistent/templates: does not exist'])
    assert.equal(problems.length, 1)
  })

  it('takes no folder for a template, and no other file of the folder', async (t) => {
    const { templates } = await overFolder(t, {
      [`${FOLDER}/email.body.parts/broken.gotmpl`]: '{{',
      [`${FOLDER}/README.gotmpl`]: '{{',
    })
    assert.deepEqual(await templates.validate(), [])
    assert.deepEqual(await templates.render(REQUEST), BUILTIN)
  })

  it('refuses a set that is too large', async (t) => {
    const { templates, path } = await overFolder(t, {
      [`${FOLDER}/email.body.gotmpl`]: 'x'.repeat(300_000),
      [`${FOLDER}/email.body.plaintext.gotmpl`]: 'x'.repeat(300_000),
    })
    const [problem] = await templates.validate()
    assert.equal(problem?.problem, `${path('email.body*')}: 600000 bytes, at most 524288 will do`)
    const uri = open({ templates: configured({ html: `base64://${'x'.repeat(600_000)}` }) })
    assert.match((await uri.templates.validate())[0]?.problem ?? '', /^courier\.templates\S+: 600000 bytes/)
  })
})

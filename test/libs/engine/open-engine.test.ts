/** The sandbox: whatever a template does, it gets an answer, and the next job notices nothing. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import { type EngineFailureKind, openEngine, type TemplateJob } from '#libs/engine'

/** Ends by itself, however slow this machine is. */
const patient = openEngine({ workers: 1, timeoutMs: 120_000 })
after(() => patient[Symbol.asyncDispose]())

const DOUBLING = 'local f(x) = if x == 0 then 1 else [f(x - 1), f(x - 1)]; f(100)'
/** Takes time, and no memory. */
const ENDLESS: TemplateJob = {
  mode: 'text',
  files: { a: '{{ range 1000000000000 }}{{ end }}' },
  main: 'a',
  dataJson: '{}',
}

const ATTACKS: Record<string, { source: string; kind: EngineFailureKind; message: RegExp }> = {
  'import of a file': { source: "import '/etc/hostname'", kind: 'runtime', message: /import is disabled/ },
  'importstr of a file': { source: "importstr '/etc/passwd'", kind: 'runtime', message: /import is disabled/ },
  'importbin of a file': { source: "importbin '/etc/passwd'", kind: 'runtime', message: /import is disabled/ },
  'a variable from outside': { source: "std.extVar('x')", kind: 'runtime', message: /Undefined external variable/ },
  'a native function': { source: "std.native('x')()", kind: 'runtime', message: /expected function/ },
  'recursion without end': { source: 'local f(x) = f(x + 1); f(0)', kind: 'runtime', message: /max stack frames/ },
  'an object that holds itself': { source: 'local o = { a: o }; o', kind: 'runtime', message: /max stack frames/ },
  'a tail call without end': {
    source: 'local f(x) = f(x + 1) tailstrict; f(0)',
    kind: 'memory',
    message: /more than 64 MiB/,
  },
  'a range of a billion': {
    source: 'std.range(1, 1e9)',
    kind: 'runtime',
    message: /^\(CRASH\) [^\n]*makeslice[^\n]*$/,
  },
  'an array of a billion': { source: 'std.makeArray(1e9, function(i) i)', kind: 'memory', message: /more than 64 MiB/ },
  'a string of a billion': { source: 'std.repeat("a", 1e9)', kind: 'memory', message: /more than 64 MiB/ },
  'a doubling string': {
    source: 'local d(s, n) = if n == 0 then s else d(s + s, n - 1); d("aaaaaaaaaaaaaaaa", 30)',
    kind: 'memory',
    message: /more than 64 MiB/,
  },
  'a million joined': {
    source: `std.join('', std.makeArray(1e6, function(i) '${'a'.repeat(50)}'))`,
    kind: 'memory',
    message: /more than 64 MiB/,
  },
  'deep brackets': { source: '['.repeat(20_000), kind: 'memory', message: /too deep a stack/ },
  'deep parentheses': { source: '('.repeat(200_000), kind: 'memory', message: /too deep a stack/ },
  'a source without end': { source: `{user_id: ${'a'.repeat(5_000)}`, kind: 'parse', message: /Expected a comma/ },
  'a long output': {
    source: `local s = '${'a'.repeat(1_024)}'; [s for i in std.range(1, 600)]`,
    kind: 'output',
    message: /longer than 524288 bytes/,
  },
}

describe('openEngine, attacked', () => {
  for (const [name, { source, kind, message }] of Object.entries(ATTACKS))
    it(`answers ${name}, and the next template right after`, async () => {
      const answer = await patient.evaluate(source, '{}')
      assert.ok(!answer.ok)
      assert.equal(answer.kind, kind)
      assert.match(answer.message, message)
      assert.ok(Buffer.byteLength(answer.message) <= 1_024)
      assert.deepEqual(await patient.evaluate('1+1', '{}'), { ok: true, json: '2\n' })
    })

  it('cuts an error at 1 KiB, between characters', async () => {
    const long = await patient.evaluate(`function(ctx) error ctx.body`, JSON.stringify({ body: 'ü'.repeat(10_000) }))
    assert.ok(!long.ok)
    assert.match(long.message, /^RUNTIME ERROR: ü+$/)
    assert.ok(Buffer.byteLength(long.message) > 1_000 && Buffer.byteLength(long.message) <= 1_024)
  })

  it('answers templates that never end, that print without end, and that ask for too much', async () => {
    const rendered = (source: string) =>
      patient.renderTemplate({ mode: 'html', files: { a: source }, main: 'a', dataJson: '{}' })
    for (const [source, kind] of [
      ['{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', 'runtime'],
      ['{{ range 1000000000 }}aaaaaaaaaaaaaaaa{{ end }}', 'output'],
      ['{{ repeat 1000000000 "a" }}', 'memory'],
    ]) {
      const answer = await rendered(source!)
      assert.ok(!answer.ok)
      assert.equal(answer.kind, kind)
      assert.deepEqual(await rendered('{{ add 1 1 }}'), { ok: true, text: '2' })
    }
  })

  it('holds no more of compiled templates than leaves room for the next', async () => {
    const text = 'x '.repeat(100_000)
    for (let i = 0; i < 70; i += 1) {
      const files = { a: `${i} {{ .To }} ${text}` }
      const answer = await patient.renderTemplate({ mode: 'text', files, main: 'a', dataJson: '{"To":"t"}' })
      assert.equal(answer.ok, true)
    }
    assert.deepEqual(await patient.evaluate('std.length(std.range(1, 20000))', '{}'), { ok: true, json: '20000\n' })
  })

  it('takes limits of its own', async () => {
    await using small = openEngine({ workers: 1, timeoutMs: 120_000, memoryMiB: 32, outputKiB: 1 })
    const body = JSON.stringify({ body: 'x'.repeat(1_100) })
    const tooLong = await small.evaluate('function(ctx) ctx.body', body)
    assert.ok(!tooLong.ok)
    assert.equal(tooLong.kind, 'output')
    const tooMuch = await small.evaluate('std.length(std.repeat("a", 500000))', '{}')
    assert.ok(!tooMuch.ok)
    assert.match(tooMuch.message, /32 MiB/)
    assert.deepEqual(await patient.evaluate('std.length(std.repeat("a", 30000))', '{}'), {
      ok: true,
      json: '30000\n',
    })
  })
})

describe('openEngine, timed', () => {
  it('ends a job after its time, and no other', async () => {
    await using engine = openEngine({ workers: 2, timeoutMs: 5_000 })
    const endless = engine.renderTemplate(ENDLESS)
    const others = await Promise.all(Array.from({ length: 20 }, (_, i) => engine.evaluate(`${i}+1`, '{}')))
    assert.deepEqual(
      others,
      Array.from({ length: 20 }, (_, i) => ({ ok: true, json: `${i + 1}\n` })),
    )
    assert.deepEqual(await endless, { ok: false, kind: 'timeout', message: 'not done within 5000 ms' })
  })

  it('goes on with those that waited behind it', async () => {
    await using engine = openEngine({ workers: 1, timeoutMs: 3_000 })
    const [endless, next] = await Promise.all([engine.evaluate(DOUBLING, '{}'), engine.evaluate('1+1', '{}')])
    assert.ok(!endless.ok)
    assert.match(endless.kind, /^(timeout|memory)$/)
    assert.deepEqual(next, { ok: true, json: '2\n' })
  })

  it('rejects what has no answer when it closes', async () => {
    const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
    const endless = assert.rejects(engine.renderTemplate(ENDLESS))
    const next = assert.rejects(engine.evaluate('1+1', '{}'), /closed/)
    await engine[Symbol.asyncDispose]()
    await Promise.all([endless, next])
    await assert.rejects(engine.evaluate('1+1', '{}'), /closed/)
  })

  it('keeps a process alive for its answers, and no longer', async () => {
    const script = `
      import { openEngine } from '#libs/engine'
      const engine = openEngine({ workers: 1, timeoutMs: 120_000 })
      engine.evaluate('1+1', '{}').then(({ json }) => console.log(json))`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script])
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk
      })
    const [code] = await once(child, 'close')
    assert.deepEqual([code, text], [0, '2\n\n'])
  })
})

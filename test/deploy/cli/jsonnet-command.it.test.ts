import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runCli } from './run-cli.ts'

const SOUND = 'function(ctx) { to: ctx.recipient }\n'

/** A folder with these files; commands run in it. */
async function folderOf(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-jsonnet-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source)
  return folder
}

describe('postrider jsonnet', () => {
  it('shows help with examples, and takes no unknown type or channel', async () => {
    for (const command of ['lint', 'format', 'eval']) {
      const { code, stdout } = await runCli(['jsonnet', command, '--help'])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`Examples:\\n {2}\\$ postrider jsonnet ${command}`))
    }
    for (const args of [
      ['--template-type', 'none'],
      ['--channel', 'fax'],
    ]) {
      const { code, stderr } = await runCli(['jsonnet', 'eval', ...args])
      assert.equal(code, 2)
      assert.match(stderr, /Allowed choices are/)
    }
  })
})

describe('postrider jsonnet lint', () => {
  it('says nothing of sound files and exits 0', async (t) => {
    const cwd = await folderOf(t, { 'a.jsonnet': SOUND, 'b.jsonnet': '{ a: 1 }' })
    assert.deepEqual(await runCli(['jsonnet', 'lint', '*.jsonnet'], { cwd }), { code: 0, stdout: '', stderr: '' })
  })

  it('prints each finding as file:line:column and exits 1', async (t) => {
    const cwd = await folderOf(t, {
      'a b.jsonnet': 'local f(a) =\n  a;\nfunction(ctx) {\n  local unused = 1,\n}\n',
      'c.jsonnet': '{\n  a: 1\n  b: 2\n}\n',
      'd.jsonnet': SOUND,
    })
    const { code, stdout } = await runCli(['jsonnet', 'lint', 'a b.jsonnet', 'c.jsonnet', 'd.jsonnet'], { cwd })
    assert.equal(code, 1)
    assert.deepEqual(stdout.split('\n'), [
      'a b.jsonnet:1:7 Unused variable: f',
      'a b.jsonnet:4:9 Unused variable: unused',
      'c.jsonnet:3:3 Expected a comma before next field',
      '',
    ])
  })

  it('exits 1 for a file that is not there', async () => {
    const { code, stderr } = await runCli(['jsonnet', 'lint', '/nonexistent/*.jsonnet'])
    assert.equal(code, 1)
    assert.equal(stderr, 'postrider: /nonexistent/*.jsonnet: no such file\n')
  })
})

describe('postrider jsonnet format', () => {
  const UGLY = 'function(ctx){to:ctx.recipient}'

  it('prints the usual form and leaves the file as it is', async (t) => {
    const cwd = await folderOf(t, { 'a.jsonnet': UGLY })
    assert.deepEqual(await runCli(['jsonnet', 'format', 'a.jsonnet'], { cwd }), { code: 0, stdout: SOUND, stderr: '' })
    assert.equal(await readFile(join(cwd, 'a.jsonnet'), 'utf8'), UGLY)
  })

  it('lists with --check what is in another form, and changes it with --write', async (t) => {
    const cwd = await folderOf(t, { 'a.jsonnet': UGLY, 'b.jsonnet': SOUND })
    const check = await runCli(['jsonnet', 'format', '--check', '*.jsonnet'], { cwd })
    assert.deepEqual(check, { code: 1, stdout: 'a.jsonnet\n', stderr: '' })
    const write = await runCli(['jsonnet', 'format', '--write', '*.jsonnet'], { cwd })
    assert.deepEqual(write, { code: 0, stdout: '', stderr: 'formatted a.jsonnet\n' })
    assert.equal(await readFile(join(cwd, 'a.jsonnet'), 'utf8'), SOUND)
    assert.equal((await runCli(['jsonnet', 'format', '--check', '*.jsonnet'], { cwd })).code, 0)
  })

  it('exits 1 with the place of what it cannot parse, and touches no such file', async (t) => {
    const cwd = await folderOf(t, { 'a.jsonnet': '{ a:\n' })
    const { code, stderr } = await runCli(['jsonnet', 'format', '--write', 'a.jsonnet'], { cwd })
    assert.equal(code, 1)
    assert.match(stderr, /^a\.jsonnet:\d+:\d+ /)
    assert.equal(await readFile(join(cwd, 'a.jsonnet'), 'utf8'), '{ a:\n')
  })
})

describe('postrider jsonnet eval', () => {
  it('prints what is sent for a sample where no template is configured', async () => {
    const { code, stdout, stderr } = await runCli(['jsonnet', 'eval'])
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const body = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(Object.keys(body).length, 11)
    assert.equal(body.recovery_code, '417203')
    assert.match(String(body.body), /417203/)
  })

  it('takes type and channel, and shows the hidden keys to a template that asks', async (t) => {
    const source = 'function(ctx) [ctx.template_type, ctx.message_type, ctx.template_data.login_code, ctx.attempt]'
    const cwd = await folderOf(t, { 'a.jsonnet': source })
    const args = ['jsonnet', 'eval', 'a.jsonnet', '--template-type', 'login_code_valid', '--channel', 'sms']
    const { stdout } = await runCli(args, { cwd })
    assert.deepEqual(JSON.parse(stdout), ['login_code_valid', 'sms', '639425', 1])
  })

  it('takes a context of one’s own', async (t) => {
    const cwd = await folderOf(t, {
      'a.jsonnet': SOUND,
      'ctx.json': '{"recipient":"own@example.org"}',
      'bad.json': '{',
    })
    const { stdout } = await runCli(['jsonnet', 'eval', 'a.jsonnet', '--ctx', 'ctx.json'], { cwd })
    assert.equal(stdout, '{\n   "to": "own@example.org"\n}\n')
    const bad = await runCli(['jsonnet', 'eval', 'a.jsonnet', '--ctx', 'bad.json'], { cwd })
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /^postrider: bad\.json: no JSON: /)
  })

  it('exits 1 with the words of Jsonnet, and says when a template cancels', async (t) => {
    const cwd = await folderOf(t, {
      'a.jsonnet': 'function(ctx) ctx.nope',
      'b.jsonnet': 'function(ctx) error "cancel"',
      'c.jsonnet': 'function(ctx) {\n  a:: ,\n}',
    })
    const failed = await runCli(['jsonnet', 'eval', 'a.jsonnet'], { cwd })
    assert.deepEqual([failed.code, failed.stdout], [1, ''])
    assert.match(failed.stderr, /Field does not exist: nope/)
    const cancelled = await runCli(['jsonnet', 'eval', 'b.jsonnet'], { cwd })
    assert.deepEqual([cancelled.code, cancelled.stdout], [0, ''])
    assert.match(cancelled.stderr, /cancels this message/)
    assert.match((await runCli(['jsonnet', 'eval', 'c.jsonnet'], { cwd })).stderr, /^postrider: c\.jsonnet:2:\d+/)
  })
})

import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { BODY, GUIDE, openProjectShell, type ProjectShell } from './project-shell.ts'
import { EXECUTABLE } from './run-cli.ts'

let shell: ProjectShell
before(async () => {
  shell = await openProjectShell()
})
after(() => shell[Symbol.asyncDispose]())

describe('the three commands of the guide', () => {
  it('run as they are printed, by both names', async () => {
    const { id } = await shell.project()
    for (const script of [shell.ory, EXECUTABLE]) {
      assert.match(await shell.done(['list', 'projects'], { script }), new RegExp(`^${id} +Shop`, 'm'))
      const yaml = await shell.done(['get', 'identity-config', id, '--format', 'yaml'], { script })
      parse(yaml)
      const updated = await shell.file('updated_config.yaml', GUIDE)
      const { code, stdout, stderr } = await shell.run(['update', 'identity-config', id, '--file', updated], { script })
      assert.equal(code, 0, stderr)
      assert.match(stderr, /^Project updated successfully!$/m)
      assert.equal(parse(stdout).courier.http.request_config.url, 'https://mail-sender.example.com')
      const { config, author } = await shell.stored(id)
      assert.equal(config.courier.http.request_config.auth.config.password, 'my-password')
      assert.equal(author, userInfo().username)
    }
  })

  it('go round: what get prints, edited, is what update takes, and masked secrets are kept', async () => {
    const { id } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: GUIDE })
    const printed = await shell.done(['get', 'identity-config', id, '--format', 'yaml'])
    assert.doesNotMatch(printed, /my-password/)
    const edited = printed.replace('https://mail-sender.example.com', 'https://mail-sender.example.com/v2')
    const before = parse(printed)
    const answer = parse(await shell.done(['update', 'ic', id, '--file', await shell.file('edited.yaml', edited)]))
    before.courier.http.request_config.url = 'https://mail-sender.example.com/v2'
    assert.deepEqual(answer, before)
    const { config } = await shell.stored(id)
    assert.equal(config.courier.http.request_config.auth.config.password, 'my-password')
    assert.equal(config.courier.http.request_config.url, 'https://mail-sender.example.com/v2')
  })
})

describe('update identity-config', () => {
  it('takes JSON and YAML from stdin, and - for it', async () => {
    const { id } = await shell.project()
    for (const [text, args] of [
      ['{"courier":{"smtp":{"from_name":"one"}}}', []],
      ['courier:\n  smtp:\n    from_name: two\n', []],
      ['courier: {smtp: {from_name: three}}', ['-f', '-']],
    ] as const) {
      await shell.done(['update', 'identity-config', id, ...args, '-y'], { stdin: text })
    }
    assert.equal((await shell.stored(id)).config.courier.smtp.from_name, 'three')
  })

  it('merges several files in their order, appends lists, and replaces what was there', async () => {
    const { id } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: GUIDE })
    const sms = (name: string) => ({
      id: name,
      type: 'http',
      request_config: { url: `https://${name}.example.com`, method: 'POST' },
    })
    await shell.file(
      'base.yaml',
      JSON.stringify({ courier: { smtp: { from_name: 'base', from_address: 'a@example.org' } } }),
    )
    await shell.file('more.json', JSON.stringify({ courier: { smtp: { from_name: 'more' }, channels: [sms('sms')] } }))
    await shell.done(['update', 'identity-config', id, '--file', 'base.yaml', '--file', 'more.json'])
    const { config } = await shell.stored(id)
    assert.equal(config.courier.smtp.from_name, 'more')
    assert.equal(config.courier.smtp.from_address, 'a@example.org')
    assert.equal(config.courier.channels.length, 1)
    assert.equal(config.courier.http, undefined)
  })

  it('embeds files of the working directory', async () => {
    const { id } = await shell.project()
    await shell.file('body.jsonnet', BODY)
    const text = GUIDE.replace(/base64:\/\/\S+/, 'file://./body.jsonnet')
    await shell.done(['update', 'identity-config', id, '--file', await shell.file('embed.yaml', text)])
    const { body } = (await shell.stored(id)).config.courier.http.request_config
    assert.equal(body, `base64://${Buffer.from(BODY).toString('base64')}`)
  })

  it('exits 1 with key and path of a missing file and changes nothing', async () => {
    const { id } = await shell.project()
    const text = GUIDE.replace(/base64:\/\/\S+/, 'file://./gone.jsonnet')
    const { code, stderr } = await shell.run([
      'update',
      'identity-config',
      id,
      '--file',
      await shell.file('gone.yaml', text),
    ])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^ory: gone\.yaml: courier\.http\.request_config\.body: there is no such file: \/.*\/gone\.jsonnet$/m,
    )
    assert.doesNotMatch(await shell.done(['get', 'identity-config', id]), /mail-sender/)
  })

  it('takes a whole kratos.yml and tells what was ignored of it', async () => {
    const { id } = await shell.project()
    const text = `dsn: postgres://me:hunter2@db/kratos\nserve:\n  public:\n    port: 4433\n${GUIDE}`
    const { code, stderr } = await shell.run([
      'update',
      'identity-config',
      id,
      '--file',
      await shell.file('kratos.yml', text),
    ])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^Warnings were found\.\n- .*dsn/m)
    assert.match(stderr, /^- .*serve/m)
    assert.doesNotMatch(stderr, /hunter2/)
  })

  it('exits 1 with key and remedy of what is refused', async () => {
    const { id } = await shell.project()
    const { code, stdout, stderr } = await shell.run(['update', 'identity-config', id], {
      stdin: '{"courier":{"delivery_strategy":"pigeon"}}',
    })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^ory: .*courier\.delivery_strategy/m)
  })

  it('prints nothing with -q', async () => {
    const { id } = await shell.project()
    assert.deepEqual(await shell.run(['update', 'identity-config', id, '-q'], { stdin: GUIDE }), {
      code: 0,
      stdout: '',
      stderr: '',
    })
  })
})

describe('--format jsonpath', () => {
  it('prints null, notes it and exits 1 where nothing is', async () => {
    const { id } = await shell.project()
    const { code, stdout, stderr } = await shell.run([
      'get',
      'identity-config',
      id,
      '--format',
      'jsonpath=courier.nope',
    ])
    assert.deepEqual([code, stdout, stderr], [1, 'null\n', 'nothing at courier.nope\n'])
    const there = await shell.run(['get', 'identity-config', id, '--format', 'jsonpath=courier.message_retries'])
    assert.deepEqual([there.code, there.stderr], [0, ''])
  })
})

describe('patch identity-config', () => {
  it('goes from files over add and replace to remove', async () => {
    const { id } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: GUIDE })
    await shell.file(
      'ops.yaml',
      '- op: add\n  path: /courier/smtp\n  value: {from_name: file, from_address: a@example.org}\n',
    )
    await shell.file('body.jsonnet', BODY)
    const printed = await shell.done([
      ...['patch', 'identity-config', '--project', id, '--remove', '/courier/smtp/from_address'],
      ...['--replace', '/courier/smtp/from_name="replaced"', '--add', '/courier/message_retries=3'],
      ...['--replace', '/courier/http/request_config/body="file://body.jsonnet"', '--file', 'ops.yaml'],
      ...['--format', 'json'],
    ])
    const { config } = await shell.stored(id)
    assert.equal(config.courier.message_retries, 3)
    assert.equal(config.courier.http.request_config.body, `base64://${Buffer.from(BODY).toString('base64')}`)
    assert.equal(config.courier.http.request_config.auth.config.password, 'my-password')
    assert.equal(JSON.parse(printed).courier.smtp.from_name, 'replaced')
    assert.deepEqual(config.courier.smtp, { from_name: 'replaced' })
  })

  it('names an operation that is refused as it was given', async () => {
    const { id } = await shell.project()
    const patch = (...args: string[]) => shell.run(['patch', 'identity-config', id, ...args])
    const { code, stdout, stderr } = await patch('--add', '/courier/message_retries=3', '--remove', '/courier/nope')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /: --remove \/courier\/nope: path: \/courier\/nope is not there\n$/)
    await shell.file(
      'nope.yaml',
      '- { op: add, path: /courier/message_retries, value: 3 }\n- { op: remove, path: /nope }\n',
    )
    const ofFile = await patch('--file', 'nope.yaml')
    assert.match(ofFile.stderr, /: nope\.yaml: operation 1 \(remove \/nope\): path: \/nope is not there\n$/)
    assert.doesNotMatch(stderr + ofFile.stderr, /body\[/)
  })

  it('exits 2 with the words of Ory’s command line where there is nothing to do or no JSON', async () => {
    for (const [args, words] of [
      [[], 'at least one of --file, --add, --replace, or --remove must be set'],
      [['--add', '/a'], 'patches must be in format of `/some/config/key=some-value`'],
      [['--add', '/a=hunter2'], 'value for /a must be valid JSON but got: '],
    ] as const) {
      const { code, stdout, stderr } = await shell.run(['patch', 'identity-config', ...args])
      assert.deepEqual([code, stdout], [2, ''])
      assert.ok(stderr.startsWith(`error: ${words}`), stderr)
      assert.doesNotMatch(stderr, /hunter2/)
    }
  })
})

describe('revisions', () => {
  it('are listed, compared and gone back to, with their secrets', async () => {
    const { id } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: GUIDE })
    await shell.done([
      'patch',
      'identity-config',
      id,
      '--replace',
      '/courier/http/request_config/auth/config/password="new"',
    ])
    await shell.done([
      'patch',
      'identity-config',
      id,
      '--replace',
      '/courier/http/request_config/url="https://mail-sender.example.com/v2"',
    ])
    const [newest, older, oldest] = (await shell.done(['list', 'revisions', id, '-q'])).trim().split('\n')
    assert.ok(newest && older && oldest)
    assert.match(
      await shell.done(['list', 'revisions', id]),
      new RegExp(`^REVISION +AUTHOR +CREATED\n${newest} +${userInfo().username} +20`),
    )
    const url = 'courier.http.request_config.url'
    assert.equal(
      await shell.done(['diff', 'identity-config', id]),
      `revision ${older} → ${newest}\n~ ${url}: "https://mail-sender.example.com" → "https://mail-sender.example.com/v2"\n`,
    )
    const all = await shell.done(['diff', 'ic', id, '--from', oldest, '--to', newest, '--format', 'json'])
    const paths = JSON.parse(all).changes.map(({ path }: { path: string }) => path)
    assert.ok(paths.includes(url) && paths.includes('courier.http.request_config.auth.config.password'), all)
    assert.doesNotMatch(all, /my-password|"new"/)
    const { code, stderr } = await shell.run(['rollback', 'identity-config', id, '--revision', oldest])
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      new RegExp(`^Rolled back to revision ${oldest}, which is revision ${Number(newest) + 1} now\\.$`, 'm'),
    )
    const { config } = await shell.stored(id)
    assert.equal(config.courier.http.request_config.auth.config.password, 'my-password')
    assert.equal(config.courier.http.request_config.url, 'https://mail-sender.example.com')
  })
})

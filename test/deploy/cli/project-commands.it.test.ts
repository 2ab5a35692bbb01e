import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { GUIDE, openProjectShell, type ProjectShell } from './project-shell.ts'

let shell: ProjectShell
before(async () => {
  shell = await openProjectShell()
})
after(() => shell[Symbol.asyncDispose]())

describe('list projects', () => {
  it('prints a table, or ids only, or what a path finds', async () => {
    const { id, slug } = await shell.project()
    const lines = (await shell.done(['list', 'projects'])).split('\n')
    assert.match(lines[0] ?? '', /^ID +NAME +ENVIRONMENT +WORKSPACE +SLUG +STATE$/)
    const row = lines.find((line) => line.startsWith(id))
    assert.match(row ?? '', new RegExp(`^${id} +Shop \\d+ +\\S+ +<none> +${slug} +running$`))
    const ids = (await shell.done(['list', 'projects', '-q'])).trim().split('\n')
    assert.ok(ids.includes(id) && ids.includes(DEFAULT_PROJECT_ID))
    assert.equal(ids.length, lines.length - 2)
    assert.deepEqual(JSON.parse(await shell.done(['list', 'projects', '--format', 'jsonpath=#.id'])), ids)
    assert.equal(JSON.parse(await shell.done(['list', 'projects', '--format', 'json'])).length, ids.length)
  })

  it('says that there are no workspaces', async () => {
    const { code, stderr } = await shell.run(['list', 'projects', '--workspace', 'mine'])
    assert.equal(code, 0)
    assert.match(stderr, /^note: --workspace is ignored/)
  })
})

describe('get identity-config', () => {
  it('finds the project by argument, option, ORY_PROJECT, slug and beginning', async () => {
    const { id, slug } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: '{"courier":{"smtp":{"from_name":"Found"}}}' })
    for (const [args, env] of [
      [[id], {}],
      [[slug], {}],
      [[id.slice(0, -1)], {}],
      [['--project', slug], {}],
      [[], { ORY_PROJECT: slug }],
      [[slug], { ORY_PROJECT: 'another' }],
    ] as const) {
      const format = ['--format', 'jsonpath=courier.smtp.from_name']
      assert.equal(await shell.done(['get', 'kratos-config', ...args, ...format], { env }), '"Found"\n', args.join(' '))
    }
  })

  it('takes the project that exists everywhere where none is named', async () => {
    await shell.done(['patch', 'identity-config', '--add', '/courier={"smtp":{"from_name":"Everywhere"}}'], {})
    assert.equal(parse(await shell.done(['get', 'identity-config'])).courier.smtp.from_name, 'Everywhere')
  })

  it('prints keys in order, in every format', async () => {
    const { id } = await shell.project()
    await shell.done(['update', 'identity-config', id], { stdin: GUIDE })
    const get = (format: string) => shell.done(['get', 'identity-config', id, '--format', format])
    const json = await get('json')
    assert.equal(json.trim().split('\n').length, 1)
    const keys = Object.keys(JSON.parse(json).courier.http.request_config)
    assert.ok(keys.length >= 5)
    assert.deepEqual(keys, keys.toSorted())
    assert.deepEqual(JSON.parse(await get('json-pretty')), JSON.parse(json))
    assert.deepEqual(parse(await get('yaml')), JSON.parse(json))
    assert.equal(await get('default'), await get('yaml'))
    assert.equal(await get('jsonpointer=/courier/http/request_config/method'), '"POST"\n')
    const missing = await shell.run(['get', 'identity-config', id, '--format', 'jsonpointer=/courier/nobody'])
    assert.deepEqual([missing.code, missing.stdout], [1, ''])
    assert.match(missing.stderr, /^ory: jsonpointer \/courier\/nobody: there is nothing at \/courier\/nobody$/m)
  })

  it('exits 1 where there is no such project, and says who named it', async () => {
    const { code, stdout, stderr } = await shell.run(['get', 'identity-config'], { env: { ORY_PROJECT: 'gone' } })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(
      stderr,
      /^ory: .*\(project gone, named by ORY_PROJECT; list projects and list revisions show what there is\)$/m,
    )
  })
})

describe('use project', () => {
  it('makes a project the default one, kept in cli.json of the home or where ORY_CONFIG_PATH says', async () => {
    const { id, slug } = await shell.project()
    const other = join(shell.folder, 'ory-cloud.json')
    await writeFile(other, '{"access_token":"kept","selected_project":"gone"}')
    for (const [env, path] of [
      [{ POSTRIDER_HOME: join(shell.folder, 'home') }, join(shell.folder, 'home', 'cli.json')],
      [{ ORY_CONFIG_PATH: other }, other],
    ] as const) {
      const { stdout, stderr } = await shell.run(['use', 'project', slug, '--format', 'jsonpath=id'], { env })
      assert.equal(stdout, `"${id}"\n`)
      assert.match(stderr, new RegExp(`kept in ${path}`))
      assert.equal(JSON.parse(await readFile(path, 'utf8')).selected_project, id)
      assert.equal(await shell.done(['use', 'project', '-q'], { env }), `${id}\n`)
      assert.equal(await shell.done(['get', 'project', '-q'], { env }), `${id}\n`)
    }
    assert.equal(JSON.parse(await readFile(other, 'utf8')).access_token, 'kept')
  })
})

describe('create and update project', () => {
  it('makes a project, the default one where asked, and renames it', async () => {
    const env = { POSTRIDER_HOME: join(shell.folder, 'created') }
    const id = (await shell.done(['create', 'project', '--name', 'Made', '-q', '--use-project'], { env })).trim()
    await shell.done(['update', 'project', '--name', 'Renamed'], { env })
    assert.equal(await shell.done(['get', 'project', id, '--format', 'jsonpath=name']), '"Renamed"\n')
  })
})

describe('wrong usage of commands for projects', () => {
  for (const args of [
    ['list'],
    ['list', 'projects', '--format', 'xml'],
    ['get', 'identity-config', 'a', '--project', 'b'],
    ['get', 'identity-config', '--format', 'jsonpath=a.*'],
    ['update', 'identity-config', 'a', 'b'],
    ['create', 'project'],
    ['rollback', 'identity-config'],
    ['rollback', 'identity-config', '--revision', 'last'],
  ]) {
    it(`exits 2 after ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await shell.run(args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /error: |Usage: /)
    })
  }
})

describe('help', () => {
  for (const command of [
    'list projects',
    'list revisions',
    'get project',
    'get identity-config',
    'update identity-config',
    'update project',
    'patch identity-config',
    'use project',
    'create project',
    'diff identity-config',
    'rollback identity-config',
  ]) {
    it(`shows an example of ${command} under the name it was called by`, async () => {
      const stdout = await shell.done([...command.split(' '), '--help'])
      assert.match(stdout, new RegExp(`^Usage: ory ${command}`))
      assert.match(stdout, new RegExp(`Examples:\\n {2}\\$ (ory|postrider) ${command}`))
    })
  }
})

describe('a key', () => {
  it('of Ory’s variables is sent where POSTRIDER_API_KEY is not set', async () => {
    const key = { ORY_PROJECT_API_KEY: 'no-such-key' }
    const { code, stderr } = await shell.run(['list', 'projects'], { env: key })
    assert.equal(code, 1)
    assert.match(stderr, /the key in ORY_PROJECT_API_KEY is not known here, has expired or was revoked/)
  })

  it('that is wrong is told by the variable that it stands in, and never shown', async () => {
    const env = { POSTRIDER_API_KEY: 'no-such-key', ORY_PROJECT_API_KEY: 'nor-this-one' }
    const { code, stderr } = await shell.run(['list', 'projects'], { env })
    const words = 'ory: the key in POSTRIDER_API_KEY is not known here, has expired or was revoked\n'
    assert.deepEqual([code, stderr], [1, words])
  })
})

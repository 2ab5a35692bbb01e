import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { CONFIG_SCHEMA, loadConfig, parseDuration } from '#libs/config'
import { targetOf } from '../../../libs/config/environment-names.ts'
import { filesAt, ROOT } from './build-context.ts'
import { type ComposeService, readCompose } from './compose-file.ts'

const { services, volumes } = readCompose()
const OWN = Object.entries(services).filter(([, { image = '' }]) => image.startsWith('postrider:'))
const SCALABLE = ['relay', 'courier', 'projector']
const ONE_SHOT = ['secrets', 'migrate']
/** Read by the processes themselves, beside the keys of the configuration. */
const OF_PROCESSES = [
  'POSTRIDER_CONFIG',
  'POSTRIDER_METRICS_HOST',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_METRICS_EXPORTER',
]
/** A collector has nothing in its image to ask it with. */
const WITHOUT_HEALTHCHECK = [...ONE_SHOT, 'collector']

const portsOf = ({ ports = [] }: ComposeService): string[] => [...ports]

describe('docker-compose.yml', () => {
  it('has every service of the system, the servers, a mailbox and a place for traces', () => {
    const names = 'collector console courier grafana identity kafka mailpit migrate postgres projector relay secrets'
    assert.deepEqual(Object.keys(services).toSorted(), names.split(' '))
  })

  it('pins every image by version', () => {
    for (const [name, { image = '' }] of Object.entries(services))
      assert.match(image, /^[a-z0-9/-]+:v?\d+(\.\d+)+$/, name)
  })

  it('builds the one image once, before anything that runs on it', () => {
    const building = OWN.filter(([, { build }]) => build !== undefined).map(([name]) => name)
    assert.deepEqual(building, ['secrets'])
    assert.ok(existsSync(join(ROOT, services.secrets?.build?.context ?? '', services.secrets?.build?.dockerfile ?? '')))
    for (const [name, service] of OWN) {
      assert.equal(service.pull_policy, 'never', name)
      if (name !== 'secrets') assert.ok(requirementsOf(name).has('secrets'), name)
    }
  })

  it('waits only for what is there and can come to the state it waits for', () => {
    for (const [name, { depends_on = {} }] of Object.entries(services)) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const target = services[needed]
        assert.ok(target, `${name} needs ${needed}`)
        const isOneShot = ONE_SHOT.includes(needed)
        assert.equal(condition, isOneShot ? 'service_completed_successfully' : 'service_healthy', `${name}: ${needed}`)
        if (!isOneShot) assert.ok(target.healthcheck?.test, needed)
      }
      assert.equal(requirementsOf(name).has(name), false, `${name} waits for itself`)
    }
  })

  it('asks every lasting service for its health, by a script that is in the image', () => {
    for (const [name, { healthcheck }] of Object.entries(services)) {
      if (WITHOUT_HEALTHCHECK.includes(name)) assert.equal(healthcheck?.disable, true, name)
      else assert.equal(healthcheck?.test?.[0], 'CMD', name)
    }
    for (const [name, { command = [], healthcheck }] of OWN) {
      const scripts = [command[1], ...(healthcheck?.test === undefined ? [] : [healthcheck.test[2]])]
      for (const script of scripts) assert.equal(filesAt(script ?? '').length, 1, `${name}: ${script}`)
    }
  })

  it('sets no variable that nobody reads, and only values that the configuration takes', () => {
    for (const [name, { environment = {} }] of OWN) {
      for (const variable of Object.keys(environment)) {
        const isKey = [variable, variable.replace(/_FILE$/, '')].some((key) => targetOf(CONFIG_SCHEMA, key))
        assert.ok(isKey || OF_PROCESSES.includes(variable), `${name}: ${variable}`)
      }
      const values = Object.entries(environment).filter(
        ([variable, value]) => value !== null && !/(_FILE|^POSTRIDER_CONFIG)$/.test(variable),
      )
      const env = Object.fromEntries(values.map(([variable, value]) => [variable, defaulted(value ?? '')]))
      loadConfig({ env, file: join(ROOT, 'deploy', 'docker', 'config', 'postrider.yaml') })
    }
  })

  it('gives every service the same settings of mail, which make up one configuration', () => {
    const mailSettings = (name: string): string[] =>
      Object.keys(services[name]?.environment ?? {}).filter((variable) =>
        /^(COURIER|SELFSERVICE|CLIENTS)_/.test(variable),
      )
    assert.ok(mailSettings('courier').includes('COURIER_SMTP_CONNECTION_URI'))
    for (const name of ['identity', 'relay', 'projector', 'console'])
      assert.deepEqual(mailSettings(name), mailSettings('courier'), name)
  })

  it('asks and names each service at the port where it listens', () => {
    const { identity, relay, courier, projector, console } = loadConfig({ env: {} }).postrider
    const ports = {
      identity: identity.metrics_port,
      relay: relay.metrics_port,
      courier: courier.metrics_port,
      projector: projector.metrics_port,
      console: console.port,
    }
    for (const [name, port] of Object.entries(ports)) {
      assert.equal(services[name]?.healthcheck?.test?.at(-1), `http://127.0.0.1:${port}/health/ready`)
      const peer = services.console?.environment?.[`POSTRIDER_CONSOLE_PEERS_${name.toUpperCase()}`]
      if (name !== 'console') assert.equal(peer, `http://${name}:${port}`)
    }
  })

  it('can run any number of the services that share their work', () => {
    for (const [name, service] of Object.entries(services)) assert.equal(service.container_name, undefined, name)
    for (const name of SCALABLE) assert.deepEqual(portsOf(services[name] ?? {}), [], name)
  })

  it('publishes ports on this machine only', () => {
    for (const [name, service] of Object.entries(services))
      for (const port of portsOf(service)) assert.match(port, /^127\.0\.0\.1:/, name)
    assert.deepEqual(portsOf(services.console ?? {}).map(defaulted), ['127.0.0.1:4434:4434'])
  })

  it('gives no container more rights than it needs', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name)
      assert.notEqual(service.privileged, true)
      if (name !== 'grafana') assert.deepEqual(service.cap_drop, ['ALL'], name)
      if (name !== 'grafana' && name !== 'kafka') assert.equal(service.read_only, true, name)
    }
    for (const [name, { user, tmpfs }] of OWN) {
      assert.equal(user, '1000:1000', name)
      assert.deepEqual(tmpfs, ['/tmp'])
    }
  })

  it('comes back after a crash, and lets services drain', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.restart, ONE_SHOT.includes(name) ? 'no' : 'unless-stopped', name)
      assert.ok(service.logging, `${name}: its log would fill the disk`)
    }
    for (const [name, { stop_grace_period }] of OWN) assert.ok(parseDuration(String(stop_grace_period)) > 20_000, name)
  })

  it('holds no secret: each is a file of a volume that only the services which need it mount', () => {
    const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
    assert.doesNotMatch(text, /PASSWORD:|postgres:\/\/[^$]*:[^$]*@/)
    for (const [name, { environment = {} }] of Object.entries(services))
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY|DATABASE_URL/.test(variable))
          assert.ok(value?.startsWith('/run/') ?? true, `${name}: ${variable}`)
    const mounting = Object.entries(services).filter(([, { volumes: mounts = [] }]) =>
      mounts.some((mount) => mount.startsWith('secrets:')),
    )
    assert.deepEqual(mounting.map(([name]) => name).toSorted(), OWN.map(([name]) => name).toSorted())
  })

  it('mounts volumes that it declares and files that are there', () => {
    const named = new Set<string>()
    for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
      for (const mount of mounts) {
        const [source = ''] = mount.split(':')
        if (source.startsWith('./')) assert.ok(existsSync(join(ROOT, source)), `${name}: ${source}`)
        else named.add(source)
      }
    }
    assert.deepEqual([...named].toSorted(), Object.keys(volumes).toSorted())
    for (const volume of ['postgres', 'kafka']) assert.ok(services[volume]?.volumes?.[0]?.startsWith(`${volume}:`))
  })

  it('runs the Kafka that the project is developed with', () => {
    const pom = readFileSync(join(ROOT, 'deploy', 'local', 'pom.xml'), 'utf8')
    const version = /<artifactId>kafka_[^<]*<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1]
    assert.equal(services.kafka?.image, `apache/kafka:${version}`)
    assert.equal(Buffer.from(services.kafka?.environment?.CLUSTER_ID ?? '', 'base64url').length, 16)
  })
})

describe('the collector', () => {
  const collector = parse(readFileSync(join(ROOT, 'deploy', 'otel', 'collector.yaml'), 'utf8'))

  it('has pipelines of parts that it declares', () => {
    for (const pipeline of Object.values<Record<string, string[]>>(collector.service.pipelines))
      for (const [kind, names] of Object.entries(pipeline))
        for (const name of names) assert.notEqual(collector[kind][name], undefined, `${kind}: ${name}`)
  })

  it('listens where the services send, and sends where a backend listens', () => {
    const endpoint = new URL(services.identity?.environment?.OTEL_EXPORTER_OTLP_ENDPOINT ?? '')
    assert.ok(services[endpoint.hostname])
    assert.equal(collector.receivers.otlp.protocols.http.endpoint, `0.0.0.0:${endpoint.port}`)
    assert.ok(services[new URL(collector.exporters.otlp_http.endpoint).hostname])
  })

  it('reads the metrics of every instance of every service', () => {
    const [job] = collector.receivers.prometheus.config.scrape_configs
    const asked = job.dns_sd_configs.map(({ names, port }: { names: string[]; port: number }) => [names[0], port])
    const healthPorts = OWN.filter(([name]) => !ONE_SHOT.includes(name)).map(([name, { healthcheck }]) => [
      name,
      Number(new URL(healthcheck?.test?.at(-1) ?? '').port),
    ])
    assert.deepEqual(asked.toSorted(), healthPorts.toSorted())
  })
})

/** Everything that has to be there before `name`, over any number of steps. */
function requirementsOf(name: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const needed of Object.keys(services[name]?.depends_on ?? {})) {
    if (seen.has(needed)) continue
    seen.add(needed)
    requirementsOf(needed, seen)
  }
  return seen
}

/** `${NAME:-value}` as where the variable is not set. */
function defaulted(value: string): string {
  return value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
}

/** Every query of alerts and dashboards, asked of a real Prometheus that scrapes the real services. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { DASHBOARDS, POSTRIDER_ROWS, VARIABLES } from '../../../deploy/grafana/dashboards.ts'
import { readRunFile } from '../../../deploy/local/run-file.ts'
import { selfSigned } from '../../services/courier/channels/smtp/certificates.ts'
import { openOtlpReceiver } from '../../support/otlp-receiver.ts'
import { openProjects } from '../../support/projects.ts'
import { openPrometheus, type PrometheusServer } from '../../support/prometheus-server.ts'
import { ensurePrometheusTools } from '../../support/prometheus-tools.ts'
import { waitFor } from '../../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../../support/smtp-sink.ts'
import { openSystem, type System } from '../../support/system.ts'
import { FOLDER, ROOT, readRules } from './alert-rules.ts'
import { groupLabelsOf, selectionsOf } from './promql-names.ts'

const SECRET = 'a secret of the test of queries'
const MAILS = 20
const NOBODY = 'nobody@example.org'
/** Only when Kafka or an engine fails are there series with these labels; without them the label is empty, as the queries expect. */
const OF_FAILURES = new Set(['error_type'])
/** Made by Prometheus itself. */
const OF_TARGETS = new Set(['job', 'instance', 'service', 'le'])

const panelQueries = POSTRIDER_ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ title, queries }) => queries.map((query) => ({ title, ...query }))),
)
const filledIn = (expr: string): string =>
  expr.replaceAll(/\$__(rate_interval|range)/g, '1m').replaceAll(/\$(channel|template_type|instance)/g, '.*')
const everyExpr = [...readRules().map(({ expr }) => expr), ...panelQueries.map(({ expr }) => filledIn(expr))]

describe('alerts and dashboards', { timeout: 180_000 }, () => {
  const stack = new AsyncDisposableStack()
  let system: System
  let sink: SmtpSink
  let prometheus: PrometheusServer
  let targets: Record<string, string>

  before(async () => {
    const tools = await ensurePrometheusTools()
    sink = stack.use(
      await openSmtpSink({
        tls: selfSigned('localhost'),
        answer: (command, line) => (command === 'RCPT' && line.includes(NOBODY) ? '550 5.1.1 no such user' : undefined),
      }),
    )
    const traces = stack.use(await openOtlpReceiver())
    system = stack.use(
      await openSystem({
        env: {
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${traces.endpoint}/v1/traces`,
          COURIER_SMTP_CONNECTION_URI: `smtp://localhost:${sink.port}/?skip_ssl_verify=true`,
          SECRETS_CIPHER: JSON.stringify([SECRET]),
        },
      }),
    )
    const database = stack.use(openDatabase({ url: system.databaseUrl, applicationName: 'test', max: 1 }))
    // Nobody listens there: its breaker opens.
    const settings = { courier: { smtp: { connection_uri: 'smtp://127.0.0.1:1/?disable_starttls=true' } } }
    await openProjects(database, SECRET).configure('away', settings)
    targets = await targetsOf(system)
    const { prometheus: binary } = tools
    prometheus = stack.use(await openPrometheus({ binary, targets, ruleFiles: [join(FOLDER, 'alerts.yaml')] }))
    await waitFor(async () => (await prometheus.query('up == 1')).length === Object.keys(targets).length)
    await sendAll()
  })
  after(() => stack.disposeAsync())

  const enqueue = async (recipients: readonly string[], project = 'default'): Promise<string[]> => {
    const messages = recipients.map((recipient) => ({
      recipient,
      project,
      template_type: 'login_code_valid',
      template_data: { login_code: '123456' },
    }))
    const { status, body } = await system.request('POST', `${system.console}/admin/courier/messages`, messages)
    assert.equal(status, 202)
    return body.map(({ id }: { id: string }) => id)
  }

  /** Twice with a scrape between: a series that is new has no rate yet. */
  async function sendAll(): Promise<void> {
    for (const round of [1, 2]) {
      const fine = await enqueue(Array.from({ length: MAILS }, (_, index) => `user-${round}-${index}@example.org`))
      const [refused] = await enqueue([NOBODY])
      await enqueue(
        [1, 2, 3, 4, 5, 6].map((index) => `away-${round}-${index}@example.org`),
        'away',
      )
      await Promise.all(fine.map((id) => system.messageIn(id, 'sent')))
      await system.messageIn(refused!, 'abandoned')
      sink.disconnectAll()
      const scraped = `sum(courier_messages_finished_total) >= ${round * (MAILS + 1)}`
      await waitFor(async () => (await prometheus.query(scraped)).length > 0, { message: 'not scraped' })
    }
    const isOpen = 'courier_breaker_state{courier_project!=""} > 0'
    await waitFor(async () => (await prometheus.query(isOpen)).length > 0, { timeoutMs: 20_000, message: 'no breaker' })
    const isTraced = 'otel_sdk_exporter_span_exported_total > 0'
    await waitFor(async () => (await prometheus.query(isTraced)).length > 0, { message: 'no span was exported' })
  }

  it('ask only for metrics and labels that the services have', async () => {
    const recorded = new Set(readRules().flatMap(({ record }) => record ?? []))
    for (const expr of everyExpr) {
      const grouped = groupLabelsOf(expr).filter((label) => !OF_TARGETS.has(label) && !OF_FAILURES.has(label))
      const available = new Set<string>()
      for (const { metric, labels } of selectionsOf(expr)) {
        if (recorded.has(metric) || /^engine_/.test(metric)) continue
        const found = await labelsOf(metric)
        assert.ok(found.size > 0, `${metric} is measured nowhere, but asked for by: ${expr}`)
        for (const label of labels)
          assert.ok(found.has(label) || OF_FAILURES.has(label), `${metric} has no label ${label}: ${expr}`)
        for (const label of found) available.add(label)
      }
      if (/\bengine_/.test(expr)) continue
      for (const label of grouped) assert.ok(available.has(label), `nothing has the label ${label}: ${expr}`)
    }
  })

  it('get an answer from every panel that has something to show', async () => {
    for (const { title, expr, mayBeEmpty } of panelQueries) {
      const query = async () => {
        const found = await prometheus.query(filledIn(expr))
        return found.length > 0 || mayBeEmpty
      }
      await waitFor(query, { message: `${title}: no answer to ${filledIn(expr)}` })
    }
  })

  it('fill the variables of the dashboard', async () => {
    for (const [name, metric, label] of VARIABLES) {
      const values = await prometheus.get(`label/${label}/values?match[]=${metric}`)
      assert.ok(values.length > 0, name)
      assert.match(JSON.stringify(DASHBOARDS['postrider.json']), new RegExp(`\\$${name}`))
    }
  })

  it('evaluate every rule, and fire nothing in the first minute of a system that works', async () => {
    const { groups } = await prometheus.get('rules')
    const rules = groups.flatMap(({ rules }: { rules: { name: string; health: string; state?: string }[] }) => rules)
    assert.equal(rules.length, readRules().length)
    assert.deepEqual(
      rules.filter(({ health }: { health: string }) => health !== 'ok'),
      [],
    )
    const firing = rules.filter(({ state }: { state?: string }) => state === 'firing')
    assert.deepEqual(
      firing.map(({ name }: { name: string }) => name),
      [],
    )
  })

  it('stand on metrics that say what they are, and whom nothing personal is in', async () => {
    for (const target of Object.values(targets)) {
      const text = await (await fetch(`http://${target}/metrics`)).text()
      assert.deepEqual(text.match(/^.*(description missing|@example\.org|123456).*$/gm), null)
    }
  })

  it('are described in OPERATIONS.md by names that exist', async () => {
    const names = (await prometheus.get('label/__name__/values')) as string[]
    const known = new Set(names.flatMap((name) => [name, name.replace(/_(bucket|count|sum)$/, '')]))
    const text = readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8')
    const named = [...text.matchAll(/`((?:courier|kafka|messaging|nodejs|process|v8js|http_server)_[a-z0-9_]+)`/g)]
    assert.ok(named.length > 8)
    for (const [, name = ''] of named) assert.ok(known.has(name), name)
  })

  async function labelsOf(metric: string): Promise<Set<string>> {
    const series = (await prometheus.get(`series?match[]=${metric}`)) as Record<string, string>[]
    return new Set(series.flatMap((labels) => Object.keys(labels)))
  }
})

async function targetsOf({ home, console }: System): Promise<Record<string, string>> {
  const { processes = [] } = (await readRunFile(home)) ?? {}
  const metrics = processes.flatMap(({ service, ports }) => {
    return ports.metrics === undefined ? [] : [[service, `127.0.0.1:${ports.metrics}`] as const]
  })
  return { ...Object.fromEntries(metrics), console: new URL(console).host }
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { FOLDER, ROOT } from './alert-rules.ts'

const read = (...path: string[]) => parse(readFileSync(join(...path), 'utf8'), { merge: true })

describe('prometheus.yaml', () => {
  const { scrape_configs, rule_files } = read(FOLDER, 'prometheus.yaml')

  it('scrapes what the collector scrapes: every instance of every service, at the ports of docker-compose.yml', () => {
    const collector = read(ROOT, 'deploy', 'otel', 'collector.yaml')
    const [theirs] = collector.receivers.prometheus.config.scrape_configs
    const [ours] = scrape_configs
    for (const key of ['job_name', 'dns_sd_configs', 'relabel_configs']) assert.deepEqual(ours[key], theirs[key], key)
  })

  it('loads the alerts', () => {
    assert.deepEqual(rule_files, ['alerts.yaml'])
  })
})

describe('docker-compose.yml', () => {
  const { services } = read(ROOT, 'docker-compose.yml')

  it('gives Grafana the dashboards where their provisioning looks for them', () => {
    const { providers } = read(ROOT, 'deploy', 'grafana', 'provisioning', 'dashboards', 'postrider.yaml')
    const mounts: string[] = services.grafana.volumes
    assert.ok(mounts.includes(`./deploy/grafana/dashboards:${providers[0].options.path}:ro`))
    assert.ok(mounts.some((mount) => mount.startsWith('./deploy/grafana/provisioning/dashboards/postrider.yaml:')))
  })

  it('lets nobody push the metrics that are scraped', () => {
    assert.equal(services.courier.environment.OTEL_METRICS_EXPORTER, 'none')
  })
})

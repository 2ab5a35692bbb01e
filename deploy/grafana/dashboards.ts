/** The dashboards as Grafana takes them. */
import { channels, outcomes } from './delivery-rows.ts'
import { golden, pipeline } from './flow-rows.ts'
import { layOut, PROMETHEUS, type RowSource } from './panels.ts'
import { readSide, runtime } from './process-rows.ts'

const LOKI = { type: 'loki', uid: 'loki' }
const TEMPO = { type: 'tempo', uid: 'tempo' }
const COMMON = { schemaVersion: 39, version: 1, editable: true, timezone: '', tags: ['postrider'] }

export const POSTRIDER_ROWS: readonly RowSource[] = [golden, pipeline, outcomes, channels, runtime, readSide]

/** The metric and label that each variable of the dashboard takes its values from. */
export const VARIABLES = [
  ['channel', 'courier_attempts_total', 'channel'],
  ['template_type', 'courier_messages_finished_total', 'template_type'],
  ['instance', 'process_memory_usage_bytes', 'instance'],
] as const

const postrider = {
  ...COMMON,
  uid: 'postrider',
  title: 'Postrider',
  description: 'From the outbox to the provider and back to the read model.',
  refresh: '10s',
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: VARIABLES.map(([name, metric, label]) => ({
      name,
      type: 'query',
      datasource: PROMETHEUS,
      query: { query: `label_values(${metric}, ${label})`, refId: name },
      refresh: 2,
      multi: true,
      includeAll: true,
      allValue: '.*',
      current: { text: 'All', value: '$__all' },
    })),
  },
  annotations: {
    list: [
      {
        name: 'Breaker opened',
        datasource: PROMETHEUS,
        enable: true,
        iconColor: 'red',
        expr: 'max by (channel) (courier_breaker_state) > 1',
        titleFormat: 'breaker of {{channel}} open',
      },
    ],
  },
  links: [{ title: 'One mail', type: 'link', url: '/d/one-mail', targetBlank: false }],
  panels: layOut(POSTRIDER_ROWS),
}

const oneMail = {
  ...COMMON,
  uid: 'one-mail',
  title: 'Postrider: one mail',
  description: 'Everything about one message: paste its id. Logs only where they are collected into Loki.',
  time: { from: 'now-24h', to: 'now' },
  templating: {
    list: [{ name: 'id', label: 'Message id', type: 'textbox', query: '', current: { text: '', value: '' } }],
  },
  panels: [
    {
      id: 1,
      type: 'table',
      title: 'Traces',
      description: 'Each attempt has the message id. A row opens its trace.',
      datasource: TEMPO,
      gridPos: { h: 10, w: 24, x: 0, y: 0 },
      targets: [
        {
          refId: 'A',
          datasource: TEMPO,
          queryType: 'traceql',
          query: '{ span.courier.message.id = "$id" || span.messaging.message.id = "$id" }',
          tableType: 'traces',
          limit: 20,
        },
      ],
    },
    {
      id: 2,
      type: 'logs',
      title: 'Logs',
      datasource: LOKI,
      gridPos: { h: 14, w: 24, x: 0, y: 10 },
      options: { showTime: true, wrapLogMessage: true, sortOrder: 'Ascending', enableLogDetails: true },
      targets: [{ refId: 'A', datasource: LOKI, expr: '{service_name=~"postrider-.+"} |= "$id"' }],
    },
  ],
}

export const DASHBOARDS: Readonly<Record<string, object>> = { 'one-mail.json': oneMail, 'postrider.json': postrider }

/** As it stands in the file. */
export function dashboardText(dashboard: object): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

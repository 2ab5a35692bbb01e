/** What became of the attempts, and what the channels do. */
import { percentiles, perSecond, type RowSource } from './panels.ts'
import { byP95, CHANNEL, FINISHED, OF_TYPE } from './selections.ts'

export const outcomes: RowSource = {
  title: 'Outcomes',
  panels: [
    {
      title: 'Attempts, by outcome and class',
      type: 'timeseries',
      unit: 'ops',
      width: 12,
      stacked: true,
      queries: [
        {
          expr: perSecond(`courier_attempts_total{${CHANNEL}}`, 'outcome, failure_class'),
          legend: '{{outcome}} {{failure_class}}',
        },
      ],
    },
    {
      title: 'Finished, by reason',
      type: 'timeseries',
      unit: 'ops',
      width: 12,
      stacked: true,
      queries: [
        {
          expr: perSecond(`${FINISHED}{status!="sent",${OF_TYPE}}`, 'status, reason, failure_class'),
          legend: '{{status}} {{reason}} {{failure_class}}',
        },
      ],
    },
    {
      title: 'Refusals, by command and code',
      type: 'table',
      unit: 'short',
      queries: [
        {
          expr: `topk(15, sum by (channel, command, code) (increase(courier_smtp_refusals_total{${CHANNEL}}[$__range])))`,
        },
      ],
    },
    {
      title: 'Tries per message',
      type: 'bargauge',
      unit: 'short',
      queries: [
        {
          expr: `sum by (le) (increase(courier_message_attempts_bucket{${CHANNEL}}[$__range]))`,
          legend: 'up to {{le}}',
        },
      ],
    },
    {
      title: 'Came again',
      type: 'timeseries',
      unit: 'ops',
      queries: [
        { expr: perSecond('courier_duplicates_suppressed_total'), legend: 'suppressed' },
        { expr: perSecond('courier_messages_possibly_sent_twice_total'), legend: 'perhaps sent twice' },
        { expr: perSecond('courier_reclaims_total'), legend: 'taken over' },
        { expr: perSecond('courier_late_finishes_total'), legend: 'concluded too late' },
      ],
    },
  ],
}

export const channels: RowSource = {
  title: 'SMTP and HTTP',
  panels: [
    {
      title: 'Attempt',
      type: 'timeseries',
      unit: 's',
      queries: percentiles('courier_attempt_duration_seconds', CHANNEL),
    },
    {
      title: 'Connecting, by phase (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [byP95('courier_smtp_connect_duration_seconds', 'phase')],
    },
    {
      title: 'Commands (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [byP95('courier_smtp_command_duration_seconds', 'command')],
    },
    {
      title: 'Connections',
      type: 'timeseries',
      unit: 'short',
      stacked: true,
      queries: [
        { expr: `sum by (channel, state) (courier_smtp_connections{${CHANNEL}})`, legend: '{{channel}} {{state}}' },
      ],
    },
    {
      title: 'Connects per second',
      type: 'timeseries',
      unit: 'ops',
      queries: [
        {
          expr: perSecond(`courier_smtp_connects_total{${CHANNEL}}`, 'channel, error_type, tls_protocol_version'),
          legend: '{{channel}} {{tls_protocol_version}} {{error_type}}',
        },
      ],
    },
    {
      title: 'Mails per connection, by reason for its end',
      type: 'timeseries',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (close_reason) (rate(courier_smtp_messages_per_connection_sum[$__rate_interval])) / sum by (close_reason) (rate(courier_smtp_messages_per_connection_count[$__rate_interval]))',
          legend: '{{close_reason}}',
        },
      ],
    },
    {
      title: 'From claim to attempt (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [byP95('courier_ratelimit_wait_seconds', 'channel')],
    },
    {
      title: 'Breakers',
      description: '0 closed, 1 about to be tried, 2 open.',
      type: 'state-timeline',
      unit: 'short',
      thresholds: [1, 2],
      queries: [
        {
          expr: 'max by (channel, courier_project) (courier_breaker_state)',
          legend: '{{channel}} {{courier_project}}',
        },
      ],
    },
    {
      title: 'Rendering, Jsonnet (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [
        byP95('courier_render_duration_seconds', 'template_type', 'template_type=~"$template_type"'),
        { ...byP95('engine_job_duration_seconds', 'operation', ''), mayBeEmpty: true },
      ],
    },
  ],
}

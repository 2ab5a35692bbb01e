/** How much goes through, how fast, and where it waits. */
import { percentiles, perSecond, type RowSource } from './panels.ts'
import { CHANNEL, FINISHED, OF_TYPE, OURS } from './selections.ts'

const SLOW = '_seconds_bucket{le="10",template_type=~".+_valid"}[1h]'
const ALL = '_seconds_count{template_type=~".+_valid"}[1h]'

const errorRatio = (window: string) =>
  `(sum(rate(${FINISHED}{status=~"abandoned|expired",${OURS}}[${window}])) or vector(0)) / sum(rate(${FINISHED}{status=~"sent|abandoned|expired",${OURS}}[${window}]))`

export const golden: RowSource = {
  title: 'Golden',
  panels: [
    {
      title: 'Mails per second',
      type: 'timeseries',
      unit: 'ops',
      queries: [
        { expr: perSecond('courier_outbox_relayed_total{error_type=""}'), legend: 'out of the outbox' },
        { expr: perSecond(`${FINISHED}{status="sent",${OF_TYPE}}`), legend: 'sent' },
        { expr: perSecond(`${FINISHED}{status!="sent",${OF_TYPE}}`), legend: 'ended otherwise' },
      ],
    },
    {
      title: 'From the request to sent',
      type: 'timeseries',
      unit: 's',
      queries: percentiles('courier_message_time_to_sent_seconds', OF_TYPE),
    },
    {
      title: 'Failed for reasons of ours',
      type: 'timeseries',
      unit: 'percentunit',
      queries: [{ expr: errorRatio('$__rate_interval'), legend: 'share' }],
    },
    {
      title: 'Budget burn: acceptance',
      description: 'Of the last hour, as a multiple of the pace that uses the budget of 30 days (0.1 %) up.',
      type: 'gauge',
      unit: 'short',
      width: 6,
      thresholds: [1, 14.4],
      queries: [{ expr: `${errorRatio('1h')} / 0.001` }],
    },
    {
      title: 'Budget burn: speed',
      description:
        'Codes and links later than 10 s, as a multiple of the pace that uses the budget of 30 days (1 %) up.',
      type: 'gauge',
      unit: 'short',
      width: 6,
      thresholds: [1, 14.4],
      queries: [
        {
          expr: `(1 - sum(rate(courier_message_time_to_sent${SLOW})) / sum(rate(courier_message_time_to_sent${ALL}))) / 0.01`,
        },
      ],
    },
    {
      title: 'Without an end',
      description: 'Messages ten minutes past their life without a terminal state. Must be 0.',
      type: 'stat',
      unit: 'short',
      width: 6,
      thresholds: [1, 1],
      queries: [{ expr: 'max(courier_messages_unaccounted)' }],
    },
    {
      title: 'Perhaps sent twice',
      type: 'stat',
      unit: 'short',
      width: 6,
      thresholds: [1, 10],
      queries: [{ expr: 'sum(increase(courier_messages_possibly_sent_twice_total[$__range]))' }],
    },
  ],
}

export const pipeline: RowSource = {
  title: 'Pipeline',
  panels: [
    {
      title: 'Outbox: rows that wait',
      type: 'timeseries',
      unit: 'short',
      queries: [{ expr: 'sum(courier_outbox_pending)', legend: 'rows' }],
    },
    {
      title: 'Outbox: age of the oldest',
      type: 'timeseries',
      unit: 's',
      thresholds: [10, 30],
      queries: [{ expr: 'max(courier_outbox_oldest_age_seconds)', legend: 'oldest' }],
    },
    {
      title: 'From the outbox to Kafka',
      type: 'timeseries',
      unit: 's',
      queries: percentiles('courier_outbox_relay_duration_seconds'),
    },
    {
      title: 'Records behind, by group',
      type: 'timeseries',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (messaging_consumer_group_name, messaging_destination_name) (kafka_consumer_group_lag_sum)',
          legend: '{{messaging_consumer_group_name}} {{messaging_destination_name}}',
        },
      ],
    },
    {
      title: 'From the request to the first attempt',
      type: 'heatmap',
      unit: 's',
      queries: [
        { expr: 'sum by (le) (increase(courier_queue_wait_seconds_bucket[$__rate_interval]))', legend: '{{le}}' },
      ],
    },
    {
      title: 'Under way in the couriers',
      type: 'timeseries',
      unit: 'short',
      queries: [
        { expr: 'sum(courier_messages_open)', legend: 'open' },
        { expr: 'sum(courier_messages_sending)', legend: 'sending' },
      ],
    },
    {
      title: 'Retries that wait, messages held',
      type: 'timeseries',
      unit: 'short',
      queries: [
        { expr: `max by (channel) (courier_retry_pending{${CHANNEL}})`, legend: 'retries {{channel}}' },
        { expr: `max by (channel) (courier_messages_held{${CHANNEL}})`, legend: 'held {{channel}}' },
      ],
    },
    {
      title: 'Overdue retries, oldest open message',
      type: 'timeseries',
      unit: 's',
      queries: [
        {
          expr: `max by (channel) (courier_retry_oldest_overdue_age_seconds{${CHANNEL}})`,
          legend: 'overdue {{channel}}',
        },
        { expr: 'max(courier_messages_oldest_open_age_seconds)', legend: 'oldest open' },
      ],
    },
    {
      title: 'Set aside',
      type: 'timeseries',
      unit: 'short',
      queries: [
        { expr: 'sum(increase(courier_records_set_aside_total[$__rate_interval]))', legend: 'courier' },
        { expr: 'sum(increase(courier_projector_records_set_aside_total[$__rate_interval]))', legend: 'projector' },
        { expr: 'sum(increase(courier_outbox_set_aside_total[$__rate_interval]))', legend: 'relay' },
      ],
    },
  ],
}

/** The processes themselves, and the side that reads. */
import { percentiles, perSecond, type RowSource } from './panels.ts'
import { byLabel, byP95, INSTANCE } from './selections.ts'

export const runtime: RowSource = {
  title: 'Runtime',
  panels: [
    {
      title: 'CPU',
      type: 'timeseries',
      unit: 'percentunit',
      queries: [byLabel(`process_cpu_time_seconds_total{${INSTANCE}}`, 'instance')],
    },
    {
      title: 'Memory',
      type: 'timeseries',
      unit: 'bytes',
      queries: [{ expr: `process_memory_usage_bytes{${INSTANCE}}`, legend: '{{instance}}' }],
    },
    {
      title: 'Event loop delay (p99)',
      type: 'timeseries',
      unit: 's',
      thresholds: [0.1, 0.2],
      queries: [{ expr: `nodejs_eventloop_delay_p99_seconds{${INSTANCE}}`, legend: '{{instance}}' }],
    },
    {
      title: 'Event loop in use',
      type: 'timeseries',
      unit: 'percentunit',
      queries: [{ expr: `nodejs_eventloop_utilization_ratio{${INSTANCE}}`, legend: '{{instance}}' }],
    },
    {
      title: 'Garbage collection',
      type: 'timeseries',
      unit: 'percentunit',
      queries: [byLabel(`v8js_gc_duration_seconds_sum{${INSTANCE}}`, 'instance')],
    },
    {
      title: 'Kafka: until a send is acknowledged (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [byP95('messaging_client_operation_duration_seconds', 'messaging_destination_name', INSTANCE)],
    },
  ],
}

export const readSide: RowSource = {
  title: 'Projector and API',
  panels: [
    {
      title: 'Read model: how far behind',
      type: 'timeseries',
      unit: 's',
      thresholds: [5, 60],
      queries: [
        {
          expr: 'max by (messaging_destination_name) (courier_projector_lag_time_seconds)',
          legend: '{{messaging_destination_name}}',
        },
      ],
    },
    {
      title: 'One batch',
      type: 'timeseries',
      unit: 's',
      queries: percentiles('messaging_process_duration_seconds'),
    },
    {
      title: 'Status events',
      type: 'timeseries',
      unit: 'ops',
      queries: [
        byLabel('courier_status_published_total{error_type=""}', 'type'),
        { expr: perSecond('courier_status_published_total{error_type!=""}'), legend: 'again', mayBeEmpty: true },
        { expr: perSecond('courier_projector_applied_total'), legend: 'applied' },
      ],
    },
    {
      title: 'Requests per second',
      type: 'timeseries',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond(`http_server_request_duration_seconds_count{${INSTANCE}}`, 'http_request_method, http_route'),
          legend: '{{http_request_method}} {{http_route}}',
        },
      ],
    },
    {
      title: 'Failed requests',
      type: 'timeseries',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond('http_server_request_duration_seconds_count{http_response_status_code=~"5.."}', 'http_route'),
          legend: '{{http_route}}',
          mayBeEmpty: true,
        },
      ],
    },
    {
      title: 'Answers (p95)',
      type: 'timeseries',
      unit: 's',
      queries: [byP95('http_server_request_duration_seconds', 'http_route', INSTANCE)],
    },
  ],
}

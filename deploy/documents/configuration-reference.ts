import { configReference } from '#libs/config'
import { MADE, table } from './markdown.ts'

const ABOUT = `Every key of \`postrider.yaml\`: those at the top are the ones of Ory Kratos, with its defaults; ours are below \`postrider\`. \`npx postrider config check\` tells every mistake with its place.

- **Order.** Defaults, then each file of \`POSTRIDER_CONFIG\` (separated by commas), then the environment; the last one that says something holds.
- **Environment.** A key's name in upper case with \`_\`. Items of lists go by number (\`COURIER_CHANNELS_0_ID\`, \`COURIER_CHANNELS_1_ID\`); a list or an object may be given as JSON, a list of text
  also with commas. An empty variable counts as unset.
- **Files.** Each variable may end in \`_FILE\`: the value is then the content of the file that it names.
- **Durations** are such as \`30s\`, \`1h30m\`, \`500ms\`.`

/** What is no key of the configuration: where it is, which process this is, and what other programs agreed on. */
const VARIABLES: readonly (readonly [names: string, whose: string, meaning: string])[] = [
  [
    '`POSTRIDER_CONFIG`',
    'all',
    'Configuration files, separated by commas, later ones over earlier ones. Unset: `postrider.yaml` where there is one, of `postrider up` and `config check`',
  ],
  ['`POSTRIDER_HOME`', 'up, commands', 'State folder. Default `.postrider`'],
  [
    '`POSTRIDER_INSTANCE`',
    'services',
    'Name of this instance in logs, metrics and leases. Default the service and the host name, such as `courier@host`',
  ],
  ['`POSTRIDER_METRICS_HOST`', 'services', 'Address of health and metrics. Default `127.0.0.1`'],
  ['`POSTRIDER_MAILBOX_SMTP_PORT`, `POSTRIDER_MAILBOX_HTTP_PORT`', 'up', 'The dev mailbox. Default 4425, 4426'],
  ['`POSTRIDER_POSTGRES_PORT`, `POSTRIDER_KAFKA_PORT`', 'up', 'The embedded servers. Default 4432, 4492'],
  ['`POSTRIDER_RELAY_SOURCE`, `KRATOS_DSN`, `DSN`', 'relay', '`kratos` and its database, as in deploy/kratos.md'],
  [
    '`POSTRIDER_URL`, `POSTRIDER_API_KEY`',
    'commands',
    'The console to ask, and the key to show it. `ORY_PROJECT_API_KEY` and `ORY_WORKSPACE_API_KEY` are taken where ours is not set',
  ],
  [
    '`ORY_PROJECT`, `ORY_CONFIG_PATH`',
    'commands',
    "The project that commands are about, and where `use project` keeps it, as for Ory's command line",
  ],
  ['`POSTRIDER_DNS`', '`doctor`', 'Name servers to ask, in place of those of this machine'],
  ['`LOG_LEVEL`', 'services', '`trace`, `debug`, `info` (default), `warn`, `error`, `silent`'],
  ['`NO_COLOR`', 'commands', 'No colours'],
  [
    '`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`',
    'services',
    'Where spans and metrics are sent. Unset: nowhere',
  ],
  ['`OTEL_EXPORTER_ZIPKIN_ENDPOINT`', 'services', 'Where spans are sent in the form of Zipkin'],
  [
    '`OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_SDK_DISABLED`',
    'services',
    'As OpenTelemetry specifies them; so are the other `OTEL_*` variables of its SDK',
  ],
  ['`NODE_EXTRA_CA_CERTS`', 'services', 'PEM file of authorities to trust beside the usual ones'],
  ['`JAVA_HOME`', 'up', 'The Java that the embedded Kafka runs on'],
]

/** The table of libs/config with a heading for each part. */
export function configurationReference(): string {
  const [head = '', rule = '', ...rows] = configReference().trimEnd().split('\n')
  const parts = Map.groupBy(rows, (row) => partOf(row))
  const tables = [...parts].flatMap(([part, rowsOfPart]) => [`## ${part}`, [head, rule, ...rowsOfPart].join('\n')])
  return `${['# Configuration', MADE, ABOUT, ...tables, '## Variables that are no keys', table(['variable', 'read by', 'meaning'], VARIABLES)].join('\n\n')}\n`
}

/** `courier.smtp`, `postrider.kafka`, `secrets`. */
function partOf(row: string): string {
  const [first = '', second] = /`([^`]+)`/.exec(row)?.[1]?.split('.') ?? []
  const isDivided = first === 'courier' || first === 'postrider'
  const isGroup = second !== undefined && row.includes(`\`${first}.${second}.`)
  return isDivided && (isGroup || first === 'postrider') ? `${first}.${second}` : first
}

/** Commands of the documents that documents-commands.flow.test.ts does not run, and why. */
const NEEDS_DOCKER = 'needs Docker; test/deploy/docker holds the file and the image'
const NEEDS_KAFKA_TOOLS = "one of Kafka's own tools, which are not installed with ours"
const IS_THE_RUN = 'starts what this very run is'

export const NOT_RUN: Readonly<Record<string, string>> = {
  'npm start': 'is how the system of this test is started, on other ports; see test/deploy/local/up.it.test.ts',
  'npm test': IS_THE_RUN,
  'npm test -- test/libs/outbox': IS_THE_RUN,
  'npm run check': IS_THE_RUN,
  'npm run bench': 'takes minutes, and a machine of its own',
  'npm run chaos': 'takes minutes',
  'npm run build:docs': 'writes into the repository; documents.test.ts compares what it would write',
  'node test/run.js --servers': IS_THE_RUN,
  'npx postrider messages tail': 'has no end',
  "POSTRIDER_CONFIG=kratos.yml KAFKA_BROKERS=kafka:9092 SECRETS_CIPHER='the secret of the couriers'  KRATOS_DSN='postgres://postrider:password@kratos-db:5432/kratos?sslmode=require'  postrider relay --source kratos":
    'has no end; test/services/relay/kratos starts it',
  'npx postrider demo --count 60': 'takes long',
  'export POSTRIDER_API_KEY=$(docker compose exec -T console cat /run/postrider/console_key)': NEEDS_DOCKER,
  'docker compose run --rm -e SECRETS_CIPHER="$(openssl rand -base64 32),$(docker compose exec -T console cat /run/postrider/cipher)" secrets':
    NEEDS_DOCKER,
  'docker compose restart identity relay courier projector console': NEEDS_DOCKER,
  ...Object.fromEntries(
    ['messages', 'notices', 'delivery-status', 'dead-letter'].map((topic) => [
      `kafka-topics.sh --bootstrap-server kafka:9092 --alter --partitions 16 --topic courier.${topic}.v1`,
      NEEDS_KAFKA_TOOLS,
    ]),
  ),
  'kafka-console-consumer.sh --bootstrap-server kafka:9092 --topic courier.dead-letter.v1 --from-beginning --property print.headers=true':
    NEEDS_KAFKA_TOOLS,
  'pg_dump "$DATABASE_URL" -Fc --exclude-table-data=console.message --exclude-table-data=console.dispatch --exclude-table-data=console.consumer_offset --exclude-table-data=console.change -f postrider.dump':
    "PostgreSQL's own tool, which the embedded one does not bring",
}

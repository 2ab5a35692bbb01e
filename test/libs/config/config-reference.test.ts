import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONFIG_SCHEMA, configReference } from '#libs/config'
import { alternatives, type SchemaNode } from '../../../libs/config/schema-node.ts'

function undescribed(node: SchemaNode, key = ''): string[] {
  const children = alternatives(node).flatMap(({ properties = {}, items }) => [
    ...Object.entries(properties),
    ...(items?.properties === undefined ? [] : [['0', items] as const]),
  ])
  return [
    ...(node.description ? [] : [key]),
    ...children.flatMap(([name, child]) => undescribed(child, `${key}.${name}`)),
  ]
}

describe('configReference', () => {
  it('has a meaning for every key', () => {
    assert.deepEqual(undescribed(CONFIG_SCHEMA), [])
  })

  it('is a table with a row per key: type, default, variables, meaning', () => {
    const lines = configReference().trimEnd().split('\n')
    assert.ok(
      lines.every((line) => /^\|( [^|]*(\\\|[^|]*)*\|){5}$/.test(line)),
      lines.join('\n'),
    )
    assert.ok(
      lines.includes(
        '| `courier.message_retries` | integer | `5` | `COURIER_MESSAGE_RETRIES` | Tries after the first one; 0 or less means a single try. |',
      ),
    )
    const brokers = lines.find((line) => line.includes('kafka.brokers'))
    assert.match(
      brokers ?? '',
      /list of string \| `\["127\.0\.0\.1:4492"\]` \| `KAFKA_BROKERS`, `POSTRIDER_KAFKA_BROKERS`/,
    )
    assert.ok(lines.some((line) => line.includes('`courier.channels[].id`') && line.includes('COURIER_CHANNELS_0_ID')))
    const keys = lines.slice(2).map((line) => line.split(' | ')[0])
    assert.equal(new Set(keys).size, keys.length)
  })
})

import { CodedError } from '#libs/errors'

/** A UUIDv7 (RFC 9562) from the database's clock; its first 48 bits are the message's creation time in ms. */
export type MessageId = string & { readonly __brand: 'MessageId' }

/** The project that exists in every deployment; its slug is `default`. */
export const DEFAULT_PROJECT_ID = '00000000-0000-7000-8000-000000000001'
export const DEFAULT_PROJECT_SLUG = 'default'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** @throws MESSAGE_UNDECODABLE if `text` is no lower-case UUIDv7. */
export function asMessageId(text: string): MessageId {
  if (!UUID_V7.test(text)) throw new CodedError('MESSAGE_UNDECODABLE', 'id: expected a lower-case UUID of version 7')
  return text as MessageId
}

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** The instant inside a UUIDv7, in ms since the epoch. */
export function idTimeMs(id: MessageId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** Kafka partition of a message key (`kid.hex`): the low 6 bits of its last byte are the shard, which partitions divide. */
export function partitionOfKey(key: string, partitions: number): number {
  return (Number.parseInt(key.slice(-2), 16) & 63) % partitions
}

/** Kafka partition of the events of one message: any stable spread keeps them in one partition, in order. */
export function partitionOfId(id: MessageId, partitions: number): number {
  return Number.parseInt(id.slice(-4), 16) % partitions
}

/** Reads fetched record batches without the garbage that kafkajs 2.2.4 makes of each. What is compressed or cut off is left to kafkajs. */
import { createRequire } from 'node:module'
import { type DecodedBatch, decodeBatch, sizeOfBatch } from './decode-batch.ts'

interface FetchDecoder {
  readonly buffer: Buffer
  readonly offset: number
  forward(sizeBytes: number): void
}

const DECODER = 'kafkajs/src/protocol/recordBatch/v0/decoder.js'

const load = createRequire(import.meta.url)
// The fetch protocol loads it when the first answer comes.
const original = load(DECODER) as (decoder: FetchDecoder) => Promise<DecodedBatch>

load.cache[load.resolve(DECODER)]!.exports = async (decoder: FetchDecoder): Promise<DecodedBatch> => {
  const { buffer, offset } = decoder
  const batch = decodeBatch(buffer, offset)
  if (batch === undefined) return original(decoder)
  decoder.forward(sizeOfBatch(buffer, offset))
  return batch
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { toPalettePng } from './palette-png.ts'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
type Pixel = readonly [red: number, green: number, blue: number]

function chunk(type: string, data: Buffer): Buffer {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(Buffer.concat([Buffer.from(type), data])))
  return Buffer.concat([length, Buffer.from(type), data, sum])
}

/** A PNG in true colour whose lines take turns with the five filters. */
function trueColor(width: number, pixels: readonly Pixel[]): Buffer {
  const [height, bytes] = [pixels.length / width, width * 3]
  const flat = pixels.flat()
  const at = (x: number, y: number): number => (x < 0 || y < 0 ? 0 : flat[y * bytes + x]!)
  const paeth = (left: number, up: number, corner: number): number => {
    const away = [left, up, corner].map((value) => Math.abs(left + up - corner - value))
    return [left, up, corner][away.indexOf(Math.min(...away))]!
  }
  const lines = Array.from({ length: height }, (_, y) => [
    y % 5,
    ...Array.from({ length: bytes }, (_, x) => {
      const [left, up, corner] = [at(x - 3, y), at(x, y - 1), y > 0 ? at(x - 3, y - 1) : 0]
      const expected = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][y % 5]!
      return (at(x, y) - expected) & 255
    }),
  ])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const data = deflateSync(Buffer.from(lines.flat()))
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

function pixelsOf(png: Buffer, width: number): { pixels: Pixel[]; colors: number } {
  const parts = new Map<string, Buffer>()
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const end = at + 8 + png.readUInt32BE(at)
    assert.equal(png.readUInt32BE(end), crc32(png.subarray(at + 4, end)))
    parts.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end))
  }
  const palette = parts.get('PLTE')!
  const rows = inflateSync(parts.get('IDAT')!)
  const indexes = [...rows].filter((_, index) => index % (width + 1) !== 0)
  return {
    pixels: indexes.map((index) => [...palette.subarray(index * 3, index * 3 + 3)] as unknown as Pixel),
    colors: palette.length / 3,
  }
}

describe('toPalettePng', () => {
  it('keeps every pixel of a picture of few colours, whatever its filters', () => {
    const colors: Pixel[] = [
      [255, 255, 255],
      [176, 34, 26],
      [36, 80, 216],
      [12, 12, 13],
    ]
    const pixels = Array.from({ length: 7 * 10 }, (_, index) => colors[(index * index + (index >> 3)) % colors.length]!)
    assert.deepEqual(pixelsOf(toPalettePng(trueColor(7, pixels)), 7).pixels, pixels)
  })

  it('keeps a rare colour that is like no other, where there are too many', () => {
    const red: Pixel = [176, 34, 26]
    const greys = Array.from({ length: 64 * 63 }, (_, index): Pixel => [index % 256, index % 256, (index >> 8) * 3])
    const picture = [...greys, ...greys.slice(0, 63), red]
    const { pixels, colors } = pixelsOf(toPalettePng(trueColor(64, picture)), 64)
    assert.ok(colors <= 256)
    assert.deepEqual(pixels.at(-1), red)
  })

  it('refuses what it cannot read', () => {
    assert.throws(() => toPalettePng(toPalettePng(trueColor(1, [[1, 2, 3]]))), /expected a PNG of 8 bits per channel/)
  })
})

/** Makes PNGs of a browser small: at most 256 colours, which is plenty for a page of text. */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const MOST_COLORS = 256
/** How far apart colours have to be, round by round, until there are enough: squared, out of 3 · 255². */
const APART = [900, 200, 40, 0]
const TRUECOLOR = 2
const TRUECOLOR_ALPHA = 6

interface Image {
  readonly width: number
  readonly height: number
  /** One number per pixel, 0xRRGGBB. */
  readonly pixels: Uint32Array
}

/** @param png eight bits per channel, not interlaced, opaque; what Chromium's screenshots are */
export function toPalettePng(png: Buffer): Buffer {
  const image = decode(png)
  const { colors, indexOf } = paletteOf(image.pixels)
  const rows = Buffer.alloc(image.height * (image.width + 1))
  for (let y = 0, at = 0, pixel = 0; y < image.height; y++) {
    rows[at++] = 0 // no filter: neighbours in a palette say nothing about each other
    for (let x = 0; x < image.width; x++) rows[at++] = indexOf.get(image.pixels[pixel++]!)!
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(image.width, 0)
  header.writeUInt32BE(image.height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const palette = Buffer.from(colors.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function decode(png: Buffer): Image {
  const parts: Buffer[] = []
  let [width, height, channels] = [0, 0, 0]
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const [type, data] = [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]
    if (type === 'IHDR') [width, height, channels] = [data.readUInt32BE(0), data.readUInt32BE(4), channelsOf(data)]
    if (type === 'IDAT') parts.push(data)
    at += 12 + length
  }
  const lines = unfilter(inflateSync(Buffer.concat(parts)), width * channels, channels)
  const pixels = new Uint32Array(width * height)
  for (let index = 0, at = 0; index < pixels.length; index++, at += channels)
    pixels[index] = (lines[at]! << 16) | (lines[at + 1]! << 8) | lines[at + 2]!
  return { width, height, pixels }
}

function channelsOf(header: Buffer): number {
  const [depth, type, , , interlace] = header.subarray(8)
  if (depth !== 8 || interlace !== 0 || (type !== TRUECOLOR && type !== TRUECOLOR_ALPHA))
    throw new Error(`expected a PNG of 8 bits per channel in true colour, found ${depth} bits of type ${type}`)
  return type === TRUECOLOR ? 3 : 4
}

/** Each line begins with the kind of its filter (PNG, section 9). */
function unfilter(data: Buffer, lineBytes: number, step: number): Uint8Array {
  const height = data.length / (lineBytes + 1)
  const out = new Uint8Array(height * lineBytes)
  for (let y = 0; y < height; y++) {
    const kind = data[y * (lineBytes + 1)]!
    for (let x = 0; x < lineBytes; x++) {
      const at = y * lineBytes + x
      const left = x < step ? 0 : out[at - step]!
      const up = y === 0 ? 0 : out[at - lineBytes]!
      const corner = x < step || y === 0 ? 0 : out[at - lineBytes - step]!
      out[at] = data[at + y + 1]! + predicted(kind, left, up, corner)
    }
  }
  return out
}

function predicted(kind: number, left: number, up: number, corner: number): number {
  switch (kind) {
    case 0:
      return 0
    case 1:
      return left
    case 2:
      return up
    case 3:
      return (left + up) >> 1
    default:
      return paeth(left, up, corner)
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

/** Frequent colours first, and of similar ones only the first, so that rare but different ones find a place. */
function paletteOf(pixels: Uint32Array): { colors: number[]; indexOf: Map<number, number> } {
  const counts = new Map<number, number>()
  for (const color of pixels) counts.set(color, (counts.get(color) ?? 0) + 1)
  const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color)
  const colors: number[] = []
  for (const apart of APART)
    for (const color of byCount)
      if (colors.length < MOST_COLORS && colors.every((other) => distance(color, other) > apart)) colors.push(color)
  return { colors, indexOf: new Map(byCount.map((color) => [color, nearest(color, colors)])) }
}

function nearest(color: number, colors: readonly number[]): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (const [index, other] of colors.entries()) {
    const away = distance(color, other)
    if (away < least) [best, least] = [index, away]
  }
  return best
}

/** Squared. */
function distance(a: number, b: number): number {
  const [red, green, blue] = [(a >> 16) - (b >> 16), ((a >> 8) & 255) - ((b >> 8) & 255), (a & 255) - (b & 255)]
  return red * red + green * green + blue * blue
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

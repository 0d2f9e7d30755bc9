import { Buffer } from 'node:buffer'

/** The bits of a double, as {@link flip} counts them in eight bytes, most significant byte first. */
const SIGN = 7
const EXPONENT = [0, 1, 2, 3, 4, 5, 6, 12, 13, 14, 15]
const ALL = Array.from({ length: 64 }, (_, bit) => bit)

/** A date moves by less than this many bits of milliseconds: 2^36 ms are two years. */
const DATE_BITS = 36

/**
 * Flips bits of the IEEE 754 double. Of 0 not the sign alone, and of NaN only the exponent: programs do not see the
 * difference otherwise.
 */
export function flippedNumber(value: number, bits: number, draw: () => number): number {
  const bitsOfKind = Number.isNaN(value) ? EXPONENT : value === 0 ? ALL.filter((bit) => bit !== SIGN) : ALL
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  for (const index of chosenBits(bitsOfKind.length, bits, draw)) {
    const bit = bitsOfKind[index] as number
    flip(bytes, Math.floor(bit / 8), bit % 8)
  }
  return bytes.readDoubleBE()
}

/** Flips some of the lowest 64 bits. */
export function flippedBigInt(value: bigint, bits: number, draw: () => number): bigint {
  return [...chosenBits(64, bits, draw)].reduce((number, bit) => number ^ (1n << BigInt(bit)), value)
}

/** Flips some of the lowest bits of the time in ms. */
export function flippedTime(time: number, bits: number, draw: () => number): number {
  let moved = time
  for (const bit of chosenBits(DATE_BITS, bits, draw))
    moved += Math.floor(time / 2 ** bit) % 2 === 0 ? 2 ** bit : -(2 ** bit)
  return moved
}

/** Flips bits among the lower seven of each UTF-16 unit, so that ASCII stays ASCII. Copies no text between them. */
export function flippedText(text: string, bits: number, draw: () => number): string {
  const masks = new Map<number, number>()
  for (const bit of chosenBits(text.length * 7, bits, draw)) {
    const unit = Math.floor(bit / 7)
    masks.set(unit, (masks.get(unit) ?? 0) | (1 << (bit % 7)))
  }
  let changed = ''
  let end = 0
  for (const [unit, mask] of [...masks].sort(([left], [right]) => left - right)) {
    changed += text.slice(end, unit) + String.fromCharCode(text.charCodeAt(unit) ^ mask)
    end = unit + 1
  }
  return changed + text.slice(end)
}

/** Flips bits in place. */
export function flipBytes(bytes: Buffer, bits: number, draw: () => number): Buffer {
  for (const bit of chosenBits(bytes.length * 8, bits, draw)) flip(bytes, Math.floor(bit / 8), bit % 8)
  return bytes
}

function flip(bytes: Buffer, index: number, bit: number): void {
  bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
}

/**
 * Chooses different bits, so that none is flipped back, by Floyd's sampling, which draws once for each chosen bit, however
 * dense the choice is.
 */
function chosenBits(size: number, bits: number, draw: () => number): Set<number> {
  const chosen = new Set<number>()
  for (let last = size - Math.min(bits, size); last < size; last += 1) {
    const bit = Math.floor(draw() * (last + 1))
    chosen.add(chosen.has(bit) ? last : bit)
  }
  return chosen
}

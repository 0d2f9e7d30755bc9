/** The roll for the n-th call, from 0 (included) to 1 (excluded). The same call always gets the same roll. */
export type Rolls = (call: number) => number

/**
 * Makes the stream of rolls of one operation of one injection. A roll depends only on these names and the call's number, so
 * other calls in between change nothing. Rolls are uniform, with a resolution of 32 bits.
 */
export function rolls(seed: string, injection: string, operation: string): Rolls {
  // The lengths distinguish `a` + `bc` from `ab` + `c`. Two hashes give 64 bits of state.
  const name = `${seed.length}:${seed}${injection.length}:${injection}${operation}`
  const offset = hash(name, 0x2f6b_9a3d)
  const twist = hash(name, 0x51ed_270b)
  return (call) => (mix(mix((offset + Math.imul(call, GOLDEN)) | 0) ^ twist) >>> 0) / 0x1_0000_0000
}

/** 2^32 divided by the golden ratio, which spreads successive calls far apart (Knuth's multiplicative hashing). */
const GOLDEN = 0x9e37_79b9

/** A signed 32-bit hash of a string. */
export function hashOf(text: string): number {
  return hash(text, 0)
}

/** Draws a random seed. Injections report it, so that a run can be repeated. */
export function drawSeed(): string {
  return Math.floor(draw() * Number.MAX_SAFE_INTEGER).toString(36)
}
const draw = Math.random

/** MurmurHash3 (x86, 32 bit, by Austin Appleby, public domain) over UTF-16 code units. */
function hash(text: string, seed: number): number {
  let h = seed
  for (let i = 0; i < text.length; i += 1) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e_2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b87_3593)
    h ^= k
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe654_6b64) | 0
  }
  return mix(h ^ text.length)
}

/** MurmurHash3's finaliser: a change of one input bit changes half the output bits on average. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return h ^ (h >>> 16)
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Makes a secret that cannot be guessed: 256 random bits, in characters that fit a URL, a cookie and HTML. */
export const secret = (): string => randomBytes(32).toString('base64url')

/** Hashes a text. Digests have equal lengths, so a comparison takes the same time for every guess. */
export const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares a guess with a text in constant time. */
export const isSame = (guess: string, text: string): boolean => timingSafeEqual(digestOf(guess), digestOf(text))

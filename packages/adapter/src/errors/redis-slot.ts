/**
 * Returns the slot of a key in a Redis Cluster: the CRC16 (XMODEM) of the key, or of the text in its first braces,
 * modulo 16384.
 *
 * @see Redis Cluster specification, "Hash tags".
 */
export function slotOf(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1]
  let crc = 0
  for (const byte of Buffer.from(tag ?? key)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc % 16_384
}

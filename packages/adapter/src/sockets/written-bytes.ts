/** Returns the bytes of one write as the internal `_writeGeneric` of a socket gets it. */
export function writtenBytes(isMany: boolean, data: unknown, encoding: BufferEncoding | 'buffer'): Buffer {
  if (!isMany)
    return typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : Buffer.from(data as Uint8Array)
  return Buffer.concat(
    (data as readonly { readonly chunk: string | Uint8Array; readonly encoding: BufferEncoding }[]).map((part) =>
      writtenBytes(false, part.chunk, part.encoding),
    ),
  )
}

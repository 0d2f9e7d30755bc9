import type { WithinResult } from '../../calls/commands.js'

/** The driver's own BSON serializer. Another copy would not know its types. */
export interface Bson {
  readonly serialize: (document: Document) => Uint8Array
}

export type Document = Readonly<Record<string, unknown>>

/** A reply, or the reply of a cursor. The driver decodes its bytes on demand. */
interface Response {
  readonly toObject: (options: { readonly promoteLongs: boolean }) => Document
  readonly constructor: ResponseType
}

/** The class of a reply. */
export interface ResponseType {
  readonly make: (bytes: Uint8Array) => unknown
}

/** Makes a reply of a document. A reply is returned unchanged. */
export function responseOf(answer: unknown, type: ResponseType | undefined, { serialize }: Bson): unknown {
  if (type === undefined || isResponse(answer)) return answer
  return type.make(serialize(typeof answer === 'object' && answer !== null ? (answer as Document) : { ok: 1 }))
}

/**
 * Changes the data in a reply: the documents of a cursor's batch, or the document that `findAndModify` found. The other
 * fields of the reply stay.
 */
export function withinReply({ serialize }: Bson): WithinResult {
  return (result, change) => {
    if (!isResponse(result)) return result
    // The id of a cursor must stay a 64-bit number.
    const { cursor, value, ...rest } = result.toObject({ promoteLongs: false })
    const changed = isDocument(cursor)
      ? { cursor: withinBatch(cursor, change), ...(value === undefined ? {} : { value }) }
      : value === undefined
        ? {}
        : { value: change(value) }
    return result.constructor.make(serialize({ ...changed, ...rest }))
  }
}

function withinBatch({ firstBatch, nextBatch, ...cursor }: Document, change: (data: unknown) => unknown): Document {
  return firstBatch === undefined
    ? { ...cursor, nextBatch: change(nextBatch) }
    : { ...cursor, firstBatch: change(firstBatch) }
}

function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && 'toObject' in value && 'make' in value.constructor
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null
}

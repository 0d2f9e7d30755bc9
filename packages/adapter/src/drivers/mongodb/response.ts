import type { WithinResult } from '../../calls/commands.js'

/** How the driver turns documents into bytes: its own, since another copy knows other types. */
export interface Bson {
  readonly serialize: (document: Document) => Uint8Array
}

export type Document = Readonly<Record<string, unknown>>

/** A reply, or the reply of a cursor: bytes that the driver reads as it needs them. */
interface Response {
  readonly toObject: (options: { readonly promoteLongs: boolean }) => Document
  readonly constructor: ResponseType
}

/** What a driver reads a reply with. */
export interface ResponseType {
  readonly make: (bytes: Uint8Array) => unknown
}

/** Makes of a document what the driver reads; what is one already stays. */
export function responseOf(answer: unknown, type: ResponseType | undefined, { serialize }: Bson): unknown {
  if (type === undefined || isResponse(answer)) return answer
  return type.make(serialize(typeof answer === 'object' && answer !== null ? (answer as Document) : { ok: 1 }))
}

/** The data in a reply: the documents of a cursor's batch, or the document that a `findAndModify` found. What else a reply says of a command stays. */
export function withinReply({ serialize }: Bson): WithinResult {
  return (result, change) => {
    if (!isResponse(result)) return result
    // The id of a cursor must stay a 64 bit number.
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

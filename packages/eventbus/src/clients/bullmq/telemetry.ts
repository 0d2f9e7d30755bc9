import { BAGGAGE } from '../../seams/message-scope.js'

/** The options of a job, as far as they carry the context of the caller. */
export interface JobOptions {
  readonly telemetry?: { readonly metadata?: string | undefined } | undefined
}

/** The longest context that is read: it may have several headers. */
const MAX_LENGTH = 65_536

/**
 * Reads the `baggage` that a job carries. BullMQ keeps the context of the caller in `opts.telemetry.metadata`; its own telemetry
 * writes the headers of the context there, as JSON.
 */
export function carriedBy(options: JobOptions | undefined): unknown {
  return headersIn(options?.telemetry?.metadata)?.[BAGGAGE]
}

/** Writes `baggage` into the context that a job carries, beside what is there. A context of another form stays as it is. */
export function withCarried(options: JobOptions | undefined, write: (given?: unknown) => string): JobOptions {
  const metadata = options?.telemetry?.metadata
  const headers = metadata === undefined || metadata === '' ? {} : headersIn(metadata)
  if (headers === undefined) return options ?? {}
  const carried = JSON.stringify({ ...headers, [BAGGAGE]: write(headers[BAGGAGE]) })
  return { ...options, telemetry: { ...options?.telemetry, metadata: carried } }
}

function headersIn(metadata: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof metadata !== 'string' || metadata.length > MAX_LENGTH) return undefined
  try {
    const headers: unknown = JSON.parse(metadata)
    return typeof headers === 'object' && headers !== null && !Array.isArray(headers)
      ? (headers as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

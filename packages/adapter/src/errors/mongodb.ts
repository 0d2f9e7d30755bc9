import { loadedClass } from './loaded-module.js'

/**
 * Errors of the `mongodb` driver: a `MongoServerError` with the server's answer. Codes, names and texts come from the
 * source of MongoDB 7.0; no test compares them with a real server.
 */
export const mongodbErrors = {
  'mongodb/not-primary': () => serverError('not primary', 10_107, 'NotWritablePrimary'),
  'mongodb/shutdown': () => serverError('interrupted at shutdown', 11_600, 'InterruptedAtShutdown'),
  'mongodb/max-time': () => serverError('operation exceeded time limit', 50, 'MaxTimeMSExpired'),
  'mongodb/write-conflict': () =>
    serverError(
      'WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.',
      112,
      'WriteConflict',
      ['TransientTransactionError'],
    ),
} as const

/** A server's answer to a failed command. */
interface Failure {
  readonly ok: 0
  readonly errmsg: string
  readonly code: number
  readonly codeName: string
  readonly errorLabels?: readonly string[]
}

/** Used if the application has not loaded `mongodb`. */
class MongoServerError extends Error {
  readonly errorResponse: Failure
  constructor(failure: Failure) {
    super(failure.errmsg)
    this.errorResponse = failure
    Object.assign(this, { ok: failure.ok, code: failure.code, codeName: failure.codeName })
    Object.defineProperty(this, 'name', { value: 'MongoServerError' })
  }
}

function serverError(errmsg: string, code: number, codeName: string, errorLabels: readonly string[] = []): Error {
  const failure: Failure = { ok: 0, errmsg, code, codeName, ...(errorLabels.length > 0 ? { errorLabels } : {}) }
  return new (loadedClass('mongodb/lib/error.js', 'MongoServerError', MongoServerError))(failure)
}

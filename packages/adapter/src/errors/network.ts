import { systemError, type Errno } from '@chaos/core/authoring'
import type { FailingCall } from './failing-call.js'

/**
 * The libuv error numbers of a host name that does not resolve (UV_EAI_NONAME) and of a resolver that gives no answer
 * (UV_EAI_AGAIN). They are the same on every platform.
 */
const RESOLVER_ERRNO = { ENOTFOUND: -3008, EAI_AGAIN: -3001 } as const

const refused = (call: FailingCall): Error => connectError('ECONNREFUSED', call)
const timedOut = (call: FailingCall): Error => connectError('ETIMEDOUT', call)
const unreachable = (call: FailingCall): Error => connectError('EHOSTUNREACH', call)
const reset = (): Error => systemError('ECONNRESET', 'read')
const brokenPipe = (): Error => systemError('EPIPE', 'write')
const notFound = (call: FailingCall): Error => lookupError('ENOTFOUND', call)
const noAnswer = (call: FailingCall): Error => lookupError('EAI_AGAIN', call)

/**
 * Network errors with the message, own keys and key order of Node.js (lib/internal/errors.js: `ExceptionWithHostPort`,
 * `ErrnoException`, `DNSException`). A test compares each with a real error on Linux.
 */
export const networkErrors = {
  ECONNREFUSED: refused,
  ETIMEDOUT: timedOut,
  EHOSTUNREACH: unreachable,
  ECONNRESET: reset,
  EPIPE: brokenPipe,
  ENOTFOUND: notFound,
  'net/econnrefused': refused,
  'net/etimedout': timedOut,
  'net/ehostunreach': unreachable,
  'net/econnreset': reset,
  'net/epipe': brokenPipe,
  'dns/enotfound': notFound,
  'dns/eai-again': noAnswer,
} as const

function connectError(code: Errno, { host, port }: FailingCall): Error {
  return systemError(code, 'connect', `connect ${code} ${host}:${port}`, { address: host, port })
}

function lookupError(code: keyof typeof RESOLVER_ERRNO, { host }: FailingCall): Error {
  return Object.assign(new Error(`getaddrinfo ${code} ${host}`), {
    errno: RESOLVER_ERRNO[code],
    code,
    syscall: 'getaddrinfo',
    hostname: host,
  })
}

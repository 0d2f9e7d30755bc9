import { systemError, type Errno } from '@chaos/core/authoring'
import type { FailingCall } from './failing-call.js'

/** libuv's numbers for a name that does not resolve (UV_EAI_NONAME) and for a resolver that gives no answer (UV_EAI_AGAIN), the same on every platform. */
const RESOLVER_ERRNO = { ENOTFOUND: -3008, EAI_AGAIN: -3001 } as const

const refused = (call: FailingCall): Error => connectError('ECONNREFUSED', call)
const timedOut = (call: FailingCall): Error => connectError('ETIMEDOUT', call)
const unreachable = (call: FailingCall): Error => connectError('EHOSTUNREACH', call)
const reset = (): Error => systemError('ECONNRESET', 'read')
const brokenPipe = (): Error => systemError('EPIPE', 'write')
const notFound = (call: FailingCall): Error => lookupError('ENOTFOUND', call)
const noAnswer = (call: FailingCall): Error => lookupError('EAI_AGAIN', call)

/**
 * Network errors with message, own keys and key order as Node.js makes them (lib/internal/errors.js: `ExceptionWithHostPort`,
 * `ErrnoException`, `DNSException`). Each is compared with a real one of the Linux kernel by test.
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

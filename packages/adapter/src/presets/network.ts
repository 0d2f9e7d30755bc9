import { constants } from 'node:os'

/** Where the service that fails is said to be. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** libuv's number for a name that does not resolve (UV_EAI_NONAME), the same on every platform. */
const UV_EAI_NONAME = -3008

/**
 * Network errors with message, own keys and key order as Node.js makes them (lib/internal/errors.js: `ExceptionWithHostPort`,
 * `ErrnoException`, `DNSException`). Compared with real ones on Linux by test, except EHOSTUNREACH and ETIMEDOUT, which are from source.
 */
export const networkErrors = {
  ECONNREFUSED: (at: Endpoint) => connectError('ECONNREFUSED', at),
  ETIMEDOUT: (at: Endpoint) => connectError('ETIMEDOUT', at),
  EHOSTUNREACH: (at: Endpoint) => connectError('EHOSTUNREACH', at),
  ECONNRESET: () => systemError('ECONNRESET', 'read'),
  EPIPE: () => systemError('EPIPE', 'write'),
  ENOTFOUND: ({ host }: Endpoint) =>
    Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { errno: UV_EAI_NONAME, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: host }),
} as const

type Errno = 'ECONNREFUSED' | 'ETIMEDOUT' | 'EHOSTUNREACH' | 'ECONNRESET' | 'EPIPE'

function systemError(code: Errno, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -constants.errno[code], code, syscall })
}

function connectError(code: Errno, { host, port }: Endpoint): Error {
  return Object.assign(new Error(`connect ${code} ${host}:${port}`), { errno: -constants.errno[code], code, syscall: 'connect', address: host, port })
}

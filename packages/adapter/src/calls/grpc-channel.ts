import type { Method } from '../operations/member-replacer.js'

/** A client of grpc-js, made from a service definition. */
export interface GrpcClient {
  readonly getChannel: () => GrpcChannel
}

export interface GrpcChannel {
  readonly createCall: Method
  readonly getTarget: () => string
  /** What makes the attempts of a call, beneath the retries of its service config. */
  readonly internalChannel?: { readonly createLoadBalancingCall?: Method } | undefined
}

/** A method of a service, as its client holds it. */
export interface Rpc {
  readonly name: string
  readonly path: string
  readonly responseStream: boolean
  readonly responseSerialize: (value: unknown) => unknown
  readonly responseDeserialize: (bytes: unknown) => unknown
}

/** A call of the channel, or one attempt of it. The deadline of a call runs from its making. */
export interface ChannelCall {
  readonly start: Method
  readonly cancelWithStatus: (code: number, details: string) => void
  /** The first attempt has the number of its call. */
  readonly getCallNumber?: () => number
}

export interface Status {
  readonly code: number
  readonly details: string
  readonly metadata: object
  /** Of an attempt: how far it came, which decides about retries. */
  readonly progress?: 'PROCESSED'
}

/** The metadata of a call, with the caller's options for it. */
export interface Metadata {
  readonly getOptions?: () => { readonly waitForReady?: boolean }
}

export interface Listener {
  readonly onReceiveMetadata: (metadata: object) => void
  readonly onReceiveMessage: (message: unknown) => void
  readonly onReceiveStatus: (status: Status) => void
}

/** Returns whether a value is a client of grpc-js. */
export function isGrpcClient(value: object): value is GrpcClient {
  return (
    'makeUnaryRequest' in value &&
    typeof value.makeUnaryRequest === 'function' &&
    'getChannel' in value &&
    typeof value.getChannel === 'function'
  )
}

import { ChaosError } from '@chaos/core'
import { globMatcher, unknownName, type InjectionContext } from '@chaos/core/authoring'
import type { Method } from '../operations/member-replacer.js'
import { answerChanges, type AnswerChanges, type Answers, type Passage } from './answer.js'
import { callOf, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import type { Endpoint } from './commands.js'

/** A client of grpc-js, made from a service definition. */
interface GrpcClient {
  readonly getChannel: () => { readonly createCall: Method; readonly getTarget: () => string }
}

/** A method of a service, as its client holds it. */
interface Rpc {
  readonly name: string
  readonly path: string
  readonly responseStream: boolean
  readonly responseSerialize: (value: unknown) => unknown
  readonly responseDeserialize: (bytes: unknown) => unknown
}

/** A call of the channel, beneath the interceptors of the client. Its deadline runs from its making. */
interface ChannelCall {
  readonly start: Method
  readonly cancelWithStatus: (code: number, details: string) => void
}

interface Status {
  readonly code: number
  readonly details: string
  readonly metadata: object
}

interface Listener {
  readonly onReceiveMetadata: (metadata: object) => void
  readonly onReceiveMessage: (message: unknown) => void
  readonly onReceiveStatus: (status: Status) => void
}

const UNAVAILABLE = 14
const MAX_CODE = 16

/** Returns whether a value is a client of grpc-js. */
export function isGrpcClient(value: object): value is GrpcClient {
  return (
    'makeUnaryRequest' in value &&
    typeof value.makeUnaryRequest === 'function' &&
    'getChannel' in value &&
    typeof value.getChannel === 'function'
  )
}

/**
 * The calls of a client of grpc-js, beneath its interceptors: the caller keeps the call object of the library, whose
 * deadline, `cancel` and events work. An injected error becomes the status of the call: its `code`, if that is a number
 * of gRPC, else UNAVAILABLE.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` match nothing, or if the fault needs streams and none answers
 *   with one.
 */
export function grpcCalls(
  client: GrpcClient,
  { methods }: ChosenCalls,
  { needs, isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const rpcs = chosenRpcs(rpcsOf(client), methods).filter((rpc) => needs !== 'many' || rpc.responseStream)
  if (rpcs.length === 0) {
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      'Expected methods that answer with a stream, got none. Choose other `methods`.',
    )
  }
  return (context, act) => {
    const changes = answerChanges(context)
    const channel = client.getChannel()
    const byPath = new Map(rpcs.map((rpc) => [rpc.path, { rpc, operation: context.operation(rpc.name) }] as const))
    const endpoint = endpointIn(channel.getTarget())
    const decides = (path: unknown): Rpc | undefined => {
      const { rpc, operation } = byPath.get(String(path)) ?? {}
      if (rpc === undefined || operation?.covers() !== true) return undefined
      if (isOn !== undefined && (context.signal.aborted || !isOn())) return undefined
      return operation.shouldInject([]) ? rpc : undefined
    }
    context.patch(
      channel,
      'createCall',
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const call = below.call.apply(this, args) as ChannelCall
          const rpc = decides(args[0])
          if (rpc !== undefined)
            whenStarted(call, rpc, changes, ({ answers, proceed }) =>
              act(callOf({ name: rpc.name, args: [], target: client, endpoint, answers, proceed }, changes, timing)),
            )
          return call
        },
    )
  }
}

/** Lets a fault act when a call starts. Messages and the end of writing wait in the call until then. */
function whenStarted(
  call: ChannelCall,
  rpc: Rpc,
  { isOver, replaceMember }: AnswerChanges,
  act: (parts: Pick<Call, 'answers' | 'proceed'>) => unknown,
): void {
  replaceMember(call, 'start', (start, restoreStart) => (...args) => {
    restoreStart()
    const [metadata, listener] = args as [object, Listener]
    const none = (): object => Reflect.construct(metadata.constructor as new () => object, [])
    const statusOf = (error: unknown): Status => ({ ...codeAndDetails(error), metadata: none() })
    let passage: Passage = {}
    let isEnded = false
    const end = (status: Status): void => {
      if (isEnded) return
      isEnded = true
      // The call has not started, so this only stops its timer of the deadline.
      call.cancelWithStatus(status.code, status.details)
      process.nextTick(() => listener.onReceiveStatus(status))
    }
    const attempted = (work: () => void): void => {
      try {
        if (!isEnded) work()
      } catch (error) {
        end(statusOf(error))
      }
    }
    const changed: Listener = {
      onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
      onReceiveMessage: (message) =>
        attempted(() => {
          const { item } = passage
          listener.onReceiveMessage(
            item === undefined || isOver() || message === null
              ? message
              : rpc.responseSerialize(item(rpc.responseDeserialize(message))),
          )
        }),
      onReceiveStatus: (status) =>
        attempted(() => {
          if (status.code === 0 && !isOver()) passage.end?.()
          isEnded = true
          listener.onReceiveStatus(status)
        }),
    }
    const proceed = (): unknown => Reflect.apply(start as Method, call, [metadata, changed])
    const answers: Answers = {
      failed(makeError, timing) {
        const error = makeError()
        if (timing === 'later-turn') setImmediate(() => end(statusOf(error)))
        else end(statusOf(error))
      },
      through: (_answer, given) => {
        passage = given
      },
      late(gate, go) {
        let held: { readonly drop: () => void } | undefined
        replaceMember(call, 'cancelWithStatus', (cancel, restoreCancel) => {
          held = gate(
            () => {
              restoreCancel()
              if (!isEnded) go()
            },
            (reason) => end(statusOf(reason)),
          )
          // The caller cancels the call, or its deadline passes.
          return (code, details) => {
            restoreCancel()
            held?.drop()
            Reflect.apply(cancel as Method, call, [code, details])
            if (isEnded) return
            isEnded = true
            const status = { code: code as number, details: details as string, metadata: none() }
            process.nextTick(() => listener.onReceiveStatus(status))
          }
        })
      },
    }
    act({ answers, proceed })
  })
}

function codeAndDetails(error: unknown): Pick<Status, 'code' | 'details'> {
  const { code, details, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly code?: unknown
    readonly details?: unknown
    readonly message?: unknown
  }
  return {
    code: typeof code === 'number' && Number.isInteger(code) && code > 0 && code <= MAX_CODE ? code : UNAVAILABLE,
    details: typeof details === 'string' ? details : String(message ?? error),
  }
}

/** The methods of the service of a client. A method of two names has the first. */
function rpcsOf(client: object): readonly Rpc[] {
  const rpcs = new Map<string, Rpc>()
  for (const [name, rpc] of Object.entries(Object.getPrototypeOf(client) as Readonly<Record<string, unknown>>)) {
    if (typeof rpc !== 'function') continue
    const { path, responseStream, responseSerialize, responseDeserialize } = rpc as unknown as Rpc
    if (typeof path === 'string') rpcs.set(name, { name, path, responseStream, responseSerialize, responseDeserialize })
  }
  return [...rpcs.values()]
}

function chosenRpcs(rpcs: readonly Rpc[], wanted: string | readonly string[] | undefined): readonly Rpc[] {
  if (wanted === undefined) return rpcs.filter(({ path }, at) => rpcs.findIndex((rpc) => rpc.path === path) === at)
  for (const pattern of [wanted].flat()) {
    if (rpcs.some(({ name }) => name === pattern || globMatcher([pattern])(name))) continue
    const names = rpcs.map(({ name }) => name)
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Option \`methods\`: ${unknownName('method of the target', pattern, names)}`,
    )
  }
  const isWanted = globMatcher([wanted].flat())
  return rpcs.filter(({ name }) => isWanted(name))
}

/** Returns the address in the target of a channel: `dns:127.0.0.1:50051`. */
function endpointIn(target: string): Endpoint {
  const [, host, port] = /([^/:]+|\[[^\]]+\]):(\d+)$/.exec(target) ?? []
  return { host, port: port === undefined ? undefined : Number(port) }
}

import { ChaosError } from '@chaos/core'
import { globMatcher, unknownName, type Chance, type InjectionContext } from '@chaos/core/authoring'
import type { Method } from '../operations/member-replacer.js'
import { answerChanges, type AnswerChanges, type Answers, type Passage } from './answer.js'
import { callOf, decider, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import type { Endpoint } from './commands.js'
import type { ChannelCall, GrpcClient, Listener, Metadata, Rpc, Status } from './grpc-channel.js'
import { callsGivenUp } from './grpc-given-up.js'

const UNAVAILABLE = 14
const MAX_CODE = 16

/**
 * The calls of a client of grpc-js, beneath its interceptors: the caller keeps the call object of the library, whose
 * deadline, `cancel` and events work. An injected error becomes the status of the call: its `code`, if that is a number
 * of gRPC, else UNAVAILABLE.
 *
 * A fault that fails or holds calls acts on each attempt, beneath the retries of the service config. A call with
 * `waitForReady` waits while connections fail. A fault that changes answers acts above, where messages are decoded.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` match nothing, or if the fault needs streams and none answers
 *   with one.
 */
export function grpcCalls(
  client: GrpcClient,
  { methods }: ChosenCalls,
  calls: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const { needs, timing, countsEffects } = calls
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
    const { internalChannel } = channel
    const changesAnswers = countsEffects === true || needs === 'many'
    const makesAttempts = !changesAnswers && typeof internalChannel?.createLoadBalancingCall === 'function'
    const decide = decider(calls, context)
    const chosen = (path: unknown): { readonly rpc: Rpc; readonly lands: Chance } | undefined => {
      const { rpc, operation } = byPath.get(String(path)) ?? {}
      if (rpc === undefined || operation?.covers() !== true) return undefined
      const lands = decide(operation, [])
      return lands && { rpc, lands }
    }
    const isGivenUpBefore = makesAttempts ? callsGivenUp(channel, changes, context) : undefined
    context.patch(
      makesAttempts ? internalChannel : channel,
      makesAttempts ? 'createLoadBalancingCall' : 'createCall',
      (below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const call = below.call.apply(this, args) as ChannelCall
          const isGivenUp = isGivenUpBefore?.(call) === true
          const { rpc, lands } = chosen(args[makesAttempts ? 1 : 0]) ?? {}
          if (rpc === undefined || lands === undefined) return call
          const { name } = rpc
          const made = { call, rpc, isAttempt: makesAttempts, target: channel.getTarget() }
          // The library still starts the attempt of a call that was cancelled before.
          if (isGivenUp) changes.replaceMember(call, 'start', () => () => undefined)
          else
            whenStarted(made, changes, ({ answers, proceed }) =>
              act(callOf({ name, args: [], target: client, endpoint, answers, lands, proceed }, changes, timing)),
            )
          return call
        },
    )
  }
}

/** A call that a fault affects. */
interface MadeCall {
  readonly call: ChannelCall
  readonly rpc: Rpc
  readonly isAttempt: boolean
  /** The address of the channel, as it was given. */
  readonly target: string
}

/** Lets a fault act when a call starts. Messages and the end of writing wait in the call until then. */
function whenStarted(
  { call, rpc, isAttempt, target }: MadeCall,
  { isOver, replaceMember, atEnd }: AnswerChanges,
  act: (parts: Pick<Call, 'answers' | 'proceed'>) => unknown,
): void {
  replaceMember(call, 'start', (start, restoreStart) => (...args) => {
    restoreStart()
    const [metadata, listener] = args as [Metadata, Listener]
    const statusWith = (status: Pick<Status, 'code' | 'details'>): Status => ({
      ...status,
      metadata: Reflect.construct<[], object>(metadata.constructor as new () => object, []),
      ...(isAttempt ? { progress: 'PROCESSED' } : {}),
    })
    const statusOf = (error: unknown): Status => statusWith(codeAndDetails(error, target))
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
          else if (status.code !== 0) passage.broke?.(errorOf(status))
          isEnded = true
          listener.onReceiveStatus(status)
        }),
    }
    const proceed = (): unknown => Reflect.apply(start as Method, call, [metadata, changed])
    const answers: Answers = {
      failed(makeError, timing) {
        const error = makeError()
        if (failsToConnect(error) && metadata.getOptions?.().waitForReady === true) {
          // The service is there again when the fault has ended.
          answers.late?.((open) => ({ drop: atEnd(open) }), proceed, { isOver, replaceMember, atEnd })
          return
        }
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
            const status = statusWith({ code: code as number, details: details as string })
            process.nextTick(() => listener.onReceiveStatus(status))
          }
        })
      },
    }
    act({ answers, proceed })
  })
}

/** The error that the library makes of a status. */
function errorOf({ code, details }: Status): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details })
}

/** Whether an error is one of making a connection, such as ECONNREFUSED. */
function failsToConnect(error: unknown): boolean {
  const syscall: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'syscall') : undefined
  return syscall === 'connect' || syscall === 'getaddrinfo'
}

/** The words of the library for an error of making a connection. */
function detailsOf(error: unknown, message: string, target: string): string {
  if (!failsToConnect(error)) return message
  return Reflect.get(error as object, 'syscall') === 'getaddrinfo'
    ? `Name resolution failed for target ${target}`
    : `No connection established. Last error: Error: ${message}. Resolution note: `
}

function codeAndDetails(error: unknown, target: string): Pick<Status, 'code' | 'details'> {
  const { code, details, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly code?: unknown
    readonly details?: unknown
    readonly message?: unknown
  }
  return {
    code: typeof code === 'number' && Number.isInteger(code) && code > 0 && code <= MAX_CODE ? code : UNAVAILABLE,
    details: typeof details === 'string' ? details : detailsOf(error, String(message ?? error), target),
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

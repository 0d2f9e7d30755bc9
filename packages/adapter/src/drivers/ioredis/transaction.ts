import { loadedClass } from '../../errors/loaded-module.js'
import { endpointOf, type CommandSeam } from '../../calls/commands.js'
import type { Sending } from './sending.js'
import {
  leavePlace,
  StraightPipeline,
  type PipelineStream,
  type RedisCommand,
  type RedisConnection,
} from './command.js'

const EXECABORT = 'EXECABORT Transaction discarded because of previous errors.'

/**
 * Lets a fault affect a transaction, from MULTI to EXEC, if it chooses one of its commands.
 *
 * @returns `false` if the fault chooses none.
 */
export function answerTransaction(
  client: RedisConnection,
  commands: readonly RedisCommand[],
  stream: PipelineStream,
  seam: CommandSeam,
  { take, sendCopy }: Pick<Sending, 'take' | 'sendCopy'>,
): boolean {
  const chosen = commands.filter(({ name, args }) => seam.chooses(name.toUpperCase(), args))
  const [first] = chosen
  if (first === undefined) return false
  const [queued, end] = [commands.slice(0, -1), commands.at(-1) as RedisCommand]

  const taken = commands.map((command) => take(client, command))
  const on = taken.at(-1)?.on
  if (on === undefined) {
    commands.forEach(() => leavePlace(stream))
    return true
  }
  const wasFailed = (): boolean => taken.map((one) => one?.end()).includes(false)
  let place: PipelineStream | undefined = stream
  let sent = 0
  const wasSent = (): boolean => sent > 0
  const proceed = async (): Promise<unknown> => {
    const through = place ?? new StraightPipeline(client)
    sent += 1
    // The copy must go behind the pipeline, since replies are matched by order.
    if (place === undefined) await Promise.resolve()
    place = undefined
    const replies = commands.map((command) => sendCopy(client, command, through))
    for (const [index, command] of queued.entries())
      replies[index]?.then(
        (value) => command.resolve(value),
        (error: unknown) => command.reject(error),
      )
    return replies.at(-1)
  }
  const answer = seam.answer({
    name: first.name.toUpperCase(),
    args: first.args,
    client,
    endpoint: endpointOf(client.stream, client.options),
    on,
    proceed,
  })
  if (!wasSent()) commands.forEach(() => leavePlace(stream))
  place = undefined

  const acknowledge = (): void => {
    for (const command of queued) command.resolve(command.name === 'multi' ? 'OK' : 'QUEUED')
  }
  const onAnswer = (value: unknown): void => {
    if (wasFailed()) return
    acknowledge()
    // One injected acknowledgement answers each command of the transaction.
    end.resolve(Array.isArray(value) || value === null ? value : queued.slice(1).map(() => value))
  }
  const onError = (error: Error): void => {
    if (wasFailed()) return
    // A server refuses single commands while it queues them. Any other error fails all of them.
    const isReply = error.name === 'ReplyError' && !wasSent() && !chosen.includes(end)
    for (const command of isReply ? chosen : commands) command.reject(error)
    if (!isReply) return
    acknowledge()
    end.reject(
      Object.assign(new (loadedClass('redis-errors/index.js', 'ReplyError', Error))(EXECABORT), {
        command: { name: end.name, args: end.args },
      }),
    )
  }
  answer.then(onAnswer, onError)
  return true
}

import { loadedClass } from '../../errors/loaded-module.js'
import { endpointOf, type CommandSeam } from '../../calls/commands.js'
import { leavePlace, type PipelineStream, type RedisCommand, type RedisConnection } from './command.js'

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
  sendCopy: (command: RedisCommand, through?: PipelineStream) => Promise<unknown>,
): boolean {
  const chosen = commands.filter(({ name, args }) => seam.chooses(name.toUpperCase(), args))
  const [first] = chosen
  if (first === undefined) return false
  const [queued, end] = [commands.slice(0, -1), commands.at(-1) as RedisCommand]

  let place: PipelineStream | undefined = stream
  let sent = 0
  const wasSent = (): boolean => sent > 0
  const proceed = async (): Promise<unknown> => {
    const through = place
    place = undefined
    sent += 1
    // The copy must go behind the pipeline, since replies are matched by order.
    if (through === undefined) await Promise.resolve()
    const replies = commands.map((command) => sendCopy(command, through))
    for (const [index, command] of queued.entries()) replies[index]?.then(command.resolve, command.reject)
    return replies.at(-1)
  }
  const answer = seam.answer({
    name: first.name.toUpperCase(),
    args: first.args,
    client,
    endpoint: endpointOf(client.stream, client.options),
    proceed,
  })
  if (!wasSent()) commands.forEach(() => leavePlace(stream))
  place = undefined

  const acknowledge = (): void => {
    for (const command of queued) command.resolve(command.name === 'multi' ? 'OK' : 'QUEUED')
  }
  const onAnswer = (value: unknown): void => {
    acknowledge()
    // One injected acknowledgement answers each command of the transaction.
    end.resolve(Array.isArray(value) || value === null ? value : queued.slice(1).map(() => value))
  }
  const onError = (error: Error): void => {
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

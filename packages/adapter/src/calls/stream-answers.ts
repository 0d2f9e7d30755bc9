import { Duplex, type Readable } from 'node:stream'
import type { Method } from '../operations/member-replacer.js'
import { isThenable, type AnswerChanges, type Answers, type Gate } from './answer.js'
import { changeBuffered, hasEnded } from './buffered-chunks.js'
import { promises } from './promise-answers.js'

/** The members by which data enters and leaves a stream. A stream that has none of a name is not given one. */
const FLOW = ['_read', '_write', '_writev', '_final'] as const

/** Answers that are streams of Node.js. The caller always gets the stream that the service made. */
export const streams: Answers = {
  // A caller may also write to a stream that is refused.
  failed: (makeError) => new Duplex().destroy(makeError()),
  through(answer, { item = (chunk) => chunk, end, broke }, changes) {
    const stream = answer as Readable
    if (broke !== undefined) whenDestroyed(stream, broke, changes)
    let isBroken = false
    const breakBy = (error: unknown): void => {
      isBroken = true
      breakWhenRead(stream, error as Error, changes)
    }
    changes.replaceMember(stream, 'push', (push) => (chunk, encoding) => {
      if (isBroken) return false
      if (changes.isOver()) return Reflect.apply(push as Method, stream, [chunk, encoding])
      try {
        if (chunk === null) end?.()
        return Reflect.apply(push as Method, stream, [chunk === null ? null : item(chunk), encoding])
      } catch (error) {
        breakBy(error)
        return false
      }
    })
    let broken: readonly unknown[] = []
    changeBuffered(stream, (chunks, isAll) => {
      const passed: unknown[] = []
      try {
        for (const chunk of chunks) passed.push(item(chunk))
        if (isAll) end?.()
      } catch (error) {
        broken = [error]
      }
      return passed
    })
    broken.forEach(breakBy)
    return stream
  },
  late(gate, proceed, changes) {
    const answer = proceed()
    if (isThenable(answer)) {
      // While the answer waits, its rejection needs a handler.
      Promise.resolve(answer).catch(() => undefined)
      return promises.late?.(gate, () => answer, changes)
    }
    if (isStream(answer)) holdFlow(answer, gate, changes)
    return answer
  },
}

/** Tells the error with which a stream is destroyed. */
function whenDestroyed(stream: Readable, broke: (error: unknown) => void, { replaceMember }: AnswerChanges): void {
  replaceMember(stream, '_destroy', (destroy) => (...args) => {
    if (args[0] !== null && args[0] !== undefined) broke(args[0])
    return Reflect.apply(destroy as Method, stream, args)
  })
}

/** A stream, as far as its flow is held. Streams of other copies of the library have no class in common. */
type FlowingStream = Pick<Readable, 'push' | 'destroy' | 'readableLength' | 'readableFlowing' | 'pause' | 'resume'> & {
  readonly emit: (event: string) => unknown
}

function isStream(answer: unknown): answer is FlowingStream {
  return typeof answer === 'object' && answer !== null && '_destroy' in answer && 'destroy' in answer
}

/**
 * Holds what a stream reads and writes until the gate opens. The source of a stream that reads on demand is asked for
 * nothing before. The stream itself stays as it is: its class, methods, modes and encoding. A stream that is destroyed
 * while it waits closes at once.
 */
function holdFlow(stream: FlowingStream, gate: Gate, { replaceMember }: AnswerChanges): void {
  const restores: (() => void)[] = []
  const pushed: (() => void)[] = []
  const asked: (() => void)[] = []
  const keep = (name: string, kept: (() => void)[], answer: boolean | undefined): void => {
    if (typeof Reflect.get(stream, name) !== 'function') return
    replaceMember(stream, name, (original, restore) => {
      restores.push(restore)
      return (...args) => {
        kept.push(() => void Reflect.apply(original as Method, stream, args))
        return answer
      }
    })
  }
  const restoreAll = (): void => {
    for (const restore of restores.splice(0)) restore()
  }
  keep('push', pushed, false)
  for (const name of FLOW) keep(name, asked, undefined)
  const isFull = stream.readableLength > 0
  if (isFull) {
    replaceMember(stream, 'read', (_original, restore) => {
      restores.push(restore)
      return () => null
    })
  }
  const open = (): void => {
    restoreAll()
    // What the source sent on its own comes before what it is asked for now.
    for (const go of [...pushed, ...asked]) go()
    if (!isFull || stream.readableLength === 0) return
    if (stream.readableFlowing === true) stream.pause().resume()
    else stream.emit('readable')
  }
  const close = (reason: unknown): void => {
    restoreAll()
    stream.destroy(reason as Error)
  }
  const wait: { held?: ReturnType<Gate> } = {}
  let isGone = false
  replaceMember(stream, '_destroy', (destroy, restore) => {
    restores.push(restore)
    return (...args) => {
      isGone = true
      restoreAll()
      wait.held?.drop()
      return Reflect.apply(destroy as Method, stream, args)
    }
  })
  wait.held = gate(
    () => {
      if (!isGone) open()
    },
    (reason) => {
      if (!isGone) close(reason)
    },
  )
}

/**
 * Destroys a stream with an error once its buffered data is read, as when a connection breaks behind the data. If the
 * injection ends before, the stream breaks then: later data would follow a gap.
 */
function breakWhenRead(stream: Readable, error: Error, { atEnd, replaceMember }: AnswerChanges): void {
  if (stream.readableLength === 0) {
    stream.destroy(error)
    return
  }
  const cancel = atEnd(() => void stream.destroy(error))
  const destroy = (): void => {
    cancel()
    stream.destroy(error)
  }
  // A stream that has ended already would tell its end first.
  const isSudden = hasEnded(stream)
  replaceMember(stream, 'read', (read) => (...size) => {
    const chunk = Reflect.apply(read as Method, stream, size)
    if (stream.readableLength > 0) return chunk
    if (isSudden) destroy()
    else process.nextTick(destroy)
    return chunk
  })
}

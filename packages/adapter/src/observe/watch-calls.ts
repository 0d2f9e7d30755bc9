import { defineFault, option } from '@chaos/core/authoring'
import { answerChanges } from '../calls/answer.js'
import { callOptions } from '../calls/call.js'
import { isCommandTarget } from '../calls/commands.js'
import { methodTarget } from '../calls/methods.js'
import { callSeam } from '../calls/seam.js'
import type { Recorder } from './recorder.js'
import { watchAnswer } from './watch-answer.js'
import { watchCommands } from './watch-commands.js'
import { watching } from './watching.js'

/** The record of a watching fault. */
export const recorderOption = option.live<Recorder>(
  (value) => 'begin' in value,
  'a recorder',
  'Records what the fault sees.',
)

/** A fault that breaks nothing: it records calls of methods and commands. */
export const watchCalls = defineFault({
  name: 'adapter/watch-calls',
  kind: 'standing',
  summary: 'Watches calls.',
  options: { ...callOptions, recorder: recorderOption },
  target: methodTarget,
  inject(target, { recorder, ...chosen }, context) {
    const watched = watching(context, recorder)
    if (isCommandTarget(target)) {
      watchCommands(target, chosen, watched, recorder)
      return
    }
    const changes = answerChanges(watched)
    callSeam(chosen)(target, watched, (call) => {
      const recording = recorder.begin({ operation: call.name, args: call.args, signal: call.signal })
      let answer: unknown
      try {
        answer = recording.run(call.proceed)
      } catch (error) {
        recording.failed(error)
        throw error
      }
      return watchAnswer(answer, call, recording, changes)
    })
  },
})

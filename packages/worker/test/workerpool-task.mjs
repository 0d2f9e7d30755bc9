// A thread of workerpool: its method `task` answers with its id, at once or after a while.
import workerpool from 'workerpool'
import task from './task.mjs'

workerpool.worker({ task })

import { defineFault, delayOptions, delaysOf, option, type OptionsOf } from '@chaos/core/authoring'
import { fileSeam, operationsNamed, operationsOption, pathsOption } from '../seam.js'
import { fileOperations, fileSystem } from '../places.js'
import { delayOperations } from '../../operations/delay.js'

const NAME = 'adapter/delay-file-operations'

const options = {
  ...delayOptions('each affected operation'),
  delayMs: option.durationMs(
    'Time that each affected operation is held back, in ms. A synchronous call blocks its thread, for at most 5000 ms.',
  ),
  paths: pathsOption,
  operations: operationsOption('Default: all.'),
}

/** Options of {@link delayFileOperations}. */
export type DelayFileOperationsOptions = OptionsOf<typeof delayFileOperations>

/**
 * Delays file operations.
 *
 * Models a disk under load, or a network volume. Each system call waits on its own, so reading a file (open, stat,
 * read, close) takes several delays. A synchronous call blocks its thread for the delay, but at most 5 s. Node.js
 * looks at the signal of a `readFile` or `writeFile` between two steps, so it does not end the wait of a step. An operation that is held when the fault ends goes on
 * then. An operation is a system call on a file; its name is the call and the full path, `read /var/data/orders.json`.
 *
 * Reads of the Node.js module loader pass. So do files in `node_modules`, unless a path names that folder.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `operations` match nothing or a time does not fit a timer;
 *   `CHAOS_TARGET_MISMATCH` in a process under `--permission`.
 * @see device-mapper's `delay` target, which does the same to a whole disk.
 */
export const delayFileOperations = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays file operations.',
  options,
  check: ({ operations }) => void operationsNamed(NAME, operations),
  target: fileSystem,
  inject(target, { delayMs, jitterMs, distribution, paths, operations }, context) {
    const delayOf = delaysOf({ delayMs, jitterMs, distribution }, context)
    const files = fileSeam({ paths, operations: operationsNamed(NAME, operations) ?? fileOperations, waits: true })
    delayOperations(files, target, context, () => delayOf('delay'))
  },
})

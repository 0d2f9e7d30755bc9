import { defineFault, delayOptions, delaysOf, option, type OptionsOf } from '@chaos/core/authoring'
import { fileSeam, operationsNamed, operationsOption, pathsOption } from '../seam.js'
import { fileOperations, fileSystem } from '../places.js'
import { delayOperations } from '../../operations/delay.js'

const NAME = 'adapter/delay-file-operations'

const options = {
  ...delayOptions('each affected operation'),
  delayMs: option.durationMs(
    'Time each affected operation is held back, in ms. A synchronous call blocks its thread meanwhile, for at most 5000.',
  ),
  paths: pathsOption,
  operations: operationsOption('Default: all.'),
}

/** Options of {@link delayFileOperations}. */
export type DelayFileOperationsOptions = OptionsOf<typeof delayFileOperations>

/**
 * Makes operations on files slow.
 *
 * Models a disk under load, or a network volume. Each system call waits for itself, so that reading a file (open, look, read, close) takes several delays. A
 * synchronous call blocks its thread for as long, as it does on a slow disk, but for 5 s at most. The signal of `readFile`, `writeFile` and
 * `appendFile` ends the wait at once. What is still held when the fault ends goes on then. An operation is a system call on a file; its name is
 * `read /var/data/orders.json`, with the full path.
 *
 * What Node.js' module loader reads passes, and so does what lies in `node_modules`, unless a path names that.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`; `CHAOS_TARGET_MISMATCH` in a process under `--permission`
 * @see device-mapper's `delay` target, which does the same to a whole disk.
 */
export const delayFileOperations = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Makes operations on files slow.',
  options,
  check: ({ operations }) => void operationsNamed(NAME, operations),
  target: fileSystem,
  inject(target, { delayMs, jitterMs, distribution, paths, operations }, context) {
    const delayOf = delaysOf({ delayMs, jitterMs, distribution }, context)
    const files = fileSeam({ paths, operations: operationsNamed(NAME, operations) ?? fileOperations, waits: true })
    delayOperations(files, target, context, () => delayOf('delay'))
  },
})

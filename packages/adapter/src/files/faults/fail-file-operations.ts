import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { fileSeam, operationsNamed, operationsOption, pathsOption, type FileCall } from '../seam.js'
import { fileSystem } from '../places.js'
import { fileOutageNames, fileOutages, type FileOutage } from '../outages.js'
import { fileError } from '../../errors/file-system.js'

const NAME = 'adapter/fail-file-operations'
const options = {
  paths: pathsOption,
  error: option.optional(option.oneOf(fileOutageNames, 'How they fail. Default: fs/enospc, a full disk.'), 'fs/enospc'),
  operations: operationsOption('Default: those that the real outage makes fail.'),
}

/** Options of {@link failFileOperations}. */
export type FailFileOperationsOptions = OptionsOf<typeof failFileOperations>

/**
 * Fails operations on files.
 *
 * Models a disk that is full, bad or read-only, a process that has no descriptors left, rights or files that are gone. It acts beneath `fs`, where
 * Node.js asks the system, so that each form fails as it does then: a synchronous call throws, a callback hears the error in a later turn, a promise
 * rejects, a stream errs and closes; what went before a failing step is done, such as the emptying of a file that cannot be written then. An operation is a
 * system call on a file; its name is `open /var/data/orders.json`, with the full path.
 *
 * What Node.js' module loader reads passes, and so does what lies in `node_modules`, unless a path names that.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`; `CHAOS_TARGET_MISMATCH` in a process under `--permission`
 * @see libfiu and CharybdeFS, which fail system calls of a whole process or file system.
 */
export const failFileOperations = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails operations on files.',
  options,
  check: ({ operations }) => void operationsNamed(NAME, operations),
  target: fileSystem,
  inject(target, { paths, error, operations }, context) {
    const { code, operations: byDefault, when }: FileOutage = fileOutages[error]
    const files = fileSeam({ paths, operations: operationsNamed(NAME, operations) ?? byDefault, when })
    const errorOf = (call: FileCall): Error => markInjected(fileError(code, call.operation, call.paths), NAME)
    // The system is asked on another thread, and its answer comes in a later turn.
    failOperations(files, target, context, errorOf, 0)
  },
})

import { defineFault, markInjected, option, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { fileSeam, operationsNamed, operationsOption, pathsOption, type FileCall } from '../seam.js'
import { fileSystem } from '../places.js'
import { fileOutageNames, fileOutages, type FileOutage } from '../outages.js'
import { fileError } from '../../errors/file-system.js'

const NAME = 'adapter/fail-file-operations'
const options = {
  paths: pathsOption,
  error: option.optional(
    option.oneOf(fileOutageNames, 'How the operations fail; fs/enospc is a full disk.'),
    'fs/enospc',
  ),
  operations: operationsOption('Default: those that fail in the real outage.'),
}

/** Options of {@link failFileOperations}. */
export type FailFileOperationsOptions = OptionsOf<typeof failFileOperations>

/**
 * Fails file operations.
 *
 * Models a disk that is full, bad or read-only, a process without free descriptors, or missing rights or files. The
 * fault acts beneath `fs`, so each form fails as in the real outage: a synchronous call throws, a callback gets the
 * error in a later turn of the event loop, a promise rejects, and a stream emits the error and closes. Steps before the
 * failing one take effect: a `writeFile` that then fails to write has emptied its file. An operation is a system call
 * on a file; its name is the call and the full path, `open /var/data/orders.json`.
 *
 * Reads of the Node.js module loader pass. So do files in `node_modules`, unless a path names that folder.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `operations` match nothing; `CHAOS_TARGET_MISMATCH` in a process under
 *   `--permission`.
 * @see libfiu and CharybdeFS, which fail system calls of a whole process or file system.
 */
export const failFileOperations = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Fails file operations.',
  options,
  check: ({ operations }) => void operationsNamed(NAME, operations),
  target: fileSystem,
  inject(target, { paths, error, operations }, context) {
    const { code, operations: byDefault, when }: FileOutage = fileOutages[error]
    const files = fileSeam({ paths, operations: operationsNamed(NAME, operations) ?? byDefault, when })
    const errorOf = (call: FileCall): Error => {
      const make = (): Error => fileError(code, call.operation, call.paths)
      return markInjected(call.later === undefined ? make() : withoutFrames(make), NAME)
    }
    // A real system call runs on another thread, and its answer comes in a later turn of the event loop.
    failOperations(files, target, context, errorOf, 0)
  },
})

/** Makes the error of an answer that comes later. The real one is made where no JavaScript code runs. */
function withoutFrames(make: () => Error): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { hangOperations } from '../../operations/delay.js'
import { fileSeam, operationsNamed, operationsOption, pathsOption } from '../seam.js'
import { fileOperations, fileSystem } from '../places.js'

const NAME = 'adapter/hang-file-operations'
const options = { paths: pathsOption, operations: operationsOption('Default: all.') }

/** Options of {@link hangFileOperations}. */
export type HangFileOperationsOptions = OptionsOf<typeof hangFileOperations>

/**
 * Leaves file operations without an answer, until the fault ends.
 *
 * Models a network volume whose server is gone, or a disk that does not come back. A signal of the caller does not end the
 * wait, as on a real volume: Node.js looks at it between two steps. When the fault ends, held operations go on. Synchronous
 * calls pass and are not counted, since nothing could end them. An operation is a system call on a file; its name is the call
 * and the full path, `read /var/data/orders.json`.
 *
 * Reads of the Node.js module loader pass. So do files in `node_modules`, unless a path names that folder.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `operations` match nothing; `CHAOS_TARGET_MISMATCH` in a process under
 *   `--permission`.
 * @see NFS' hard mounts, whose callers wait for as long as the server is away.
 */
export const hangFileOperations = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Leaves file operations without an answer, until the fault ends.',
  options,
  check: ({ operations }) => void operationsNamed(NAME, operations),
  target: fileSystem,
  inject(target, { paths, operations }, context) {
    const files = fileSeam({
      paths,
      operations: operationsNamed(NAME, operations) ?? fileOperations,
      // Nothing could end the wait of a synchronous call.
      when: ({ later }) => later !== undefined,
      waits: true,
    })
    hangOperations(files, target, context)
  },
})

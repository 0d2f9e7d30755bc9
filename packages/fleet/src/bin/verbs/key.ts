import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, printable } from '@chaos/core/authoring'
import { writeKeyFiles } from '../../plan/key-files.js'
import { keyRefused } from '../../plan/refusals.js'
import { KEY_ID } from '../../plan/signature.js'
import { usage } from '../arguments/arguments.js'
import { jsonOption } from '../arguments/common-options.js'
import { EXIT } from '../process/exit-codes.js'
import type { Verb } from '../verb.js'

/** Makes a key that signs plans. */
export const key: Verb = {
  summary: 'makes an Ed25519 key pair that signs plans',
  notes: ['Writes `<folder>/<id>` (the private key, mode 0600) and `<folder>/<id>.pub`. No file is overwritten.'],
  options: {
    out: { value: '<folder>', help: 'where the files are written; made if it is not there' },
    id: { value: '<id>', help: 'the id of the key, which agents and policies name (default: ops)' },
    ...jsonOption,
  },
  run(args, io) {
    const folder = args.text('out')
    if (folder === undefined || folder === '') throw usage('Name the folder: `--out keys`.')
    const id = args.text('id') ?? 'ops'
    if (/^\.+$|\.(pem|pub)$/.test(id) || !KEY_ID.test(id))
      throw usage(
        `Expected \`--id\` to be a name of 1 to 100 letters, digits or @._-, not a path or a file, got \`${id}\`.`,
      )
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw keyRefused(`The folder ${printable(folder)} cannot be made: ${messageOf(error)}.`, error)
    }
    const path = join(folder, id)
    const { keyId, publicKey } = writeKeyFiles(path)
    if (args.isOn('json')) io.json({ keyId, privateKeyFile: path, publicKeyFile: `${path}.pub`, publicKey })
    else {
      io.out(`made the key ${keyId}`)
      io.out(`  ${path}: the private key. Name it in CHAOS_FLEET_KEY where runs are started, and nowhere else.`)
      io.out(`  ${path}.pub: the public key. Pin it in each process: joinFleet(chaos, { keys: { '${keyId}': … } }).`)
    }
    return Promise.resolve(EXIT.ok)
  },
}

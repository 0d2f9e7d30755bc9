import type fs from 'node:fs'

/** What came of one way to use a file: how the error came, and what it was. */
export type Outcome = readonly unknown[]

/** Tells of an error. */
type Describe = (error: Error) => unknown

/**
 * Reads and writes a file in every form that `fs` has, and tells how each came out. Needs nothing around it: its source also runs in another process.
 *
 * @param which `read` or `write`
 */
export async function fileWays(
  files: typeof fs,
  path: string,
  which: 'read' | 'write',
  describe: Describe,
): Promise<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {}
  const sync = (name: string, use: () => unknown): void => {
    try {
      use()
      outcomes[name] = ['done']
    } catch (error) {
      outcomes[name] = ['thrown', describe(error as Error)]
    }
  }
  const callback = async (name: string, use: (done: (error: Error | null) => void) => void): Promise<void> => {
    let isLater = false
    outcomes[name] = await new Promise((resolve) => {
      use((error) =>
        resolve([isLater ? 'told later' : 'told at once', error instanceof Error ? describe(error) : 'done']),
      )
      isLater = true
    })
  }
  const promise = async (name: string, use: () => Promise<unknown>): Promise<void> => {
    outcomes[name] = await use().then(
      () => ['done'],
      (error: unknown) => ['rejected', describe(error as Error)],
    )
  }
  const stream = async (name: string, open: () => NodeJS.EventEmitter): Promise<void> => {
    const events: unknown[] = []
    outcomes[name] = events
    await new Promise((resolve) => {
      const opened = open()
      for (const event of ['open', 'ready', 'data', 'end', 'finish', 'error', 'close'])
        opened.on(event, (value: unknown) =>
          events.push(event, value instanceof Error ? describe(value) : typeof value),
        )
      opened.on('close', resolve)
    })
  }
  const withHandle = async (
    flags: string,
    use: (handle: fs.promises.FileHandle) => Promise<unknown>,
  ): Promise<void> => {
    const handle = await files.promises.open(path, flags)
    await use(handle).finally(() => handle.close())
  }
  const withDescriptor = (flags: string, use: (descriptor: number) => unknown): void => {
    const descriptor = files.openSync(path, flags)
    try {
      use(descriptor)
    } finally {
      files.closeSync(descriptor)
    }
  }

  const bytes = new Uint8Array(4)
  if (which === 'read') {
    sync('readFileSync', () => files.readFileSync(path))
    sync('readFileSync as text', () => files.readFileSync(path, 'utf8'))
    sync('readSync', () => withDescriptor('r', (descriptor) => files.readSync(descriptor, bytes, 0, 4, 0)))
    await callback('readFile', (done) => files.readFile(path, done))
    await callback('open', (done) =>
      files.open(path, 'r', (error, descriptor) => (error ? done(error) : files.close(descriptor, done))),
    )
    await promise('promises.readFile', () => files.promises.readFile(path))
    await promise('FileHandle.read', () => withHandle('r', (handle) => handle.read(bytes, 0, 4, 0)))
    await promise('FileHandle.readFile', () => withHandle('r', (handle) => handle.readFile('utf8')))
    await stream('createReadStream', () => files.createReadStream(path))
  } else {
    sync('writeFileSync of text', () => files.writeFileSync(path, 'text'))
    sync('writeFileSync', () => files.writeFileSync(path, bytes))
    sync('appendFileSync', () => files.appendFileSync(path, 'text'))
    sync('writeSync', () => withDescriptor('w', (descriptor) => files.writeSync(descriptor, bytes)))
    sync('writevSync', () => withDescriptor('w', (descriptor) => files.writevSync(descriptor, [bytes])))
    await callback('writeFile', (done) => files.writeFile(path, 'text', done))
    await callback('appendFile', (done) => files.appendFile(path, 'text', done))
    await promise('promises.writeFile', () => files.promises.writeFile(path, 'text'))
    await promise('promises.appendFile', () => files.promises.appendFile(path, bytes))
    await promise('FileHandle.write', () => withHandle('w', (handle) => handle.write('text')))
    await promise('FileHandle.writeFile', () => withHandle('w', (handle) => handle.writeFile('text')))
    await stream('createWriteStream', () => {
      const writer = files.createWriteStream(path)
      writer.end('text')
      return writer
    })
  }
  return outcomes
}

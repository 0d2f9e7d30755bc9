import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { isChaosError } from '@chaos/core'
import { privateFolder } from '../../test/support.js'
import {
  checkPrivateDirectory,
  preparePrivateDirectory,
  privateDirectories,
  socketDirectories,
} from './socket-directory.js'

// Asked for in each test: a test of another file may have set another temporary folder when this file is loaded.
const temporary = (): string => join(tmpdir(), `chaos-harness-${userInfo().uid}`)

describe('where sockets are', () => {
  it('is where it was asked for, else where the environment says', () => {
    expect(socketDirectories('/a/b', { CHAOS_SOCKET_DIR: '/c' })).toEqual({
      own: '/a/b',
      all: ['/a/b'],
      isDefault: false,
    })
    expect(socketDirectories(undefined, { CHAOS_SOCKET_DIR: '/c', XDG_RUNTIME_DIR: '/d' })).toEqual({
      own: '/c',
      all: ['/c'],
      isDefault: false,
    })
  })

  it('is below the runtime folder of the user, and others are looked for below the temporary one too', () => {
    const runtime = privateFolder()
    const own = join(runtime, 'chaos-harness')
    expect(socketDirectories(undefined, { XDG_RUNTIME_DIR: runtime }, '/nonexistent')).toEqual({
      own,
      all: [own, temporary()],
      isDefault: true,
    })
    expect(socketDirectories(undefined, { CHAOS_SOCKET_DIR: '' }, '/nonexistent')).toEqual({
      own: temporary(),
      all: [temporary()],
      isDefault: true,
    })
  })

  it('is looked for in the usual runtime folder too, by a program that does not have the variable', () => {
    const runtimes = privateFolder()
    const usual = join(runtimes, String(userInfo().uid))
    expect(socketDirectories(undefined, {}, runtimes).all).toEqual([temporary()])
    mkdirSync(usual)
    expect(socketDirectories(undefined, {}, runtimes)).toEqual({
      own: temporary(),
      all: [temporary(), join(usual, 'chaos-harness')],
      isDefault: true,
    })
    expect(socketDirectories(undefined, { XDG_RUNTIME_DIR: usual }, runtimes).all).toEqual([
      join(usual, 'chaos-harness'),
      temporary(),
    ])
  })

  it('is not below a runtime folder that is missing or of someone else', () => {
    expect(socketDirectories(undefined, { XDG_RUNTIME_DIR: '/nonexistent' }).own).toBe(temporary())
    const runtime = privateFolder()
    vi.spyOn(process, 'getuid').mockReturnValue(statSync(runtime).uid + 1)
    expect(socketDirectories(undefined, { XDG_RUNTIME_DIR: runtime }).own).toBe(temporary())
  })
})

describe('a directory of sockets', () => {
  it('is made for a tool that keeps a file there, unless another user could read it', () => {
    const own = join(privateFolder(), 'new')
    expect(privateDirectories(own)).toEqual({ own, all: [own] })
    expect(statSync(own).mode & 0o777).toBe(0o700)
    chmodSync(own, 0o755)
    expect(() => privateDirectories(own)).toThrow(/mode is 755/)
  })

  const reasonOf = (path: string): string => {
    try {
      checkPrivateDirectory(path)
    } catch (error) {
      if (isChaosError(error, 'CHAOS_SOCKET_DIRECTORY')) return error.message
    }
    return 'fine'
  }

  it('is made private, with the folders above it', () => {
    const path = join(privateFolder(), 'a', 'b')
    preparePrivateDirectory(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(reasonOf(path)).toBe('fine')
    preparePrivateDirectory(path)
  })

  it('is refused at once where nothing can be made, such as below /proc', () => {
    for (const path of ['/proc/no/such/place', '/proc/self/fd/x/y', '/dev/null/x/y'])
      expect(() => preparePrivateDirectory(path)).toThrow(expect.objectContaining({ code: 'CHAOS_SOCKET_DIRECTORY' }))
  })

  it('is refused when others could get in', () => {
    const path = privateFolder()
    for (const mode of [0o701, 0o710, 0o755, 0o777]) {
      chmodSync(path, mode)
      expect(reasonOf(path)).toContain(`its mode is ${mode.toString(8)}`)
    }
  })

  it('is refused when it is a link, a file, someone else’s, or not there', () => {
    const folder = privateFolder()
    mkdirSync(join(folder, 'real'), { mode: 0o700 })
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    writeFileSync(join(folder, 'file'), '')
    expect(reasonOf(join(folder, 'link'))).toContain('symbolic link')
    expect(reasonOf(join(folder, 'file'))).toContain('not a directory')
    expect(reasonOf(join(folder, 'none'))).toContain('does not exist')
    expect(() => preparePrivateDirectory(join(folder, 'link'))).toThrow('symbolic link')
    expect(() => preparePrivateDirectory(join(folder, 'file', 'x'))).toThrow('could not be created')
    vi.spyOn(process, 'getuid').mockReturnValue(statSync(folder).uid + 1)
    expect(reasonOf(join(folder, 'real'))).toContain('belongs to user')
  })
})

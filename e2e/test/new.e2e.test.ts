import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { copyOfRepository } from '../src/skeletons.js'

const copy = copyOfRepository()
afterAll(copy.remove)

describe('npm run new', () => {
  it.each([
    ['', 'Unknown kind ""'],
    [
      'fualt eventbus/drop-all',
      'Unknown kind "fualt". Expected one of "fault", "client", "driver", "probe", "injector".',
    ],
    ['fault nowhere/drop-all', 'Unknown place "nowhere/drop-all" for a fault. Expected eventbus/<name>, worker/<name>'],
    ['fault eventbus/../drop-all', 'Unknown place "eventbus/../drop-all"'],
    ['fault eventbus/DropAll', 'Invalid name "DropAll" for a fault.'],
    ['fault eventbus/drop', 'Expected a verb and an object: drop-events.'],
    ['fault eventbus/drop-events', 'There is already packages/eventbus/src/faults/drop-events.ts'],
    ['client eventbus/some-broker', 'A client binds a library. Expected its name and its range'],
    [`client eventbus/some-broker it's"odd" ^1.0.0`, 'Invalid name "it\'s\\"odd\\"" of a library.'],
    [
      'driver adapter/http some-http ^1.0.0',
      'Invalid name "http" for a driver. @chaos/adapter has a part of that name',
    ],
    ['probe experiment/class', 'Invalid name "class" for a probe. It is a reserved word of JavaScript.'],
    ['injector jobs/FailJobs', 'Invalid name "FailJobs" for an injector.'],
    ['injector worker/drop-all', 'There is already packages/worker/package.json'],
  ])('refuses `%s`, and writes nothing', async (asked, words) => {
    const { exitCode, stderr, stdout } = await copy.script('new', ...asked.split(' ').filter((arg) => arg !== ''))
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(words)
    const isThere = (path: string): boolean => existsSync(copy.at(path))
    expect(['packages/eventbus/src/faults/drop-all.ts', 'docs/faults/eventbus/drop-all.md'].filter(isThere)).toEqual([])
  })
})

describe('npm run sync', () => {
  it('says what is out of step, and what has no place for what it writes', async () => {
    const path = copy.at('packages/worker/README.md')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('| instant |', '| standing |'))
    expect(await copy.script('sync', '--check')).toMatchObject({
      exitCode: 1,
      stdout: 'out of step: packages/worker/README.md\nRun `npm run sync`.\n',
    })
    writeFileSync(path, text.replace('<!-- faults -->', ''))
    expect(await copy.script('sync')).toMatchObject({
      exitCode: 1,
      stderr:
        'packages/worker/README.md has no place for what sync writes. Put `<!-- faults -->` and `<!-- /faults -->` where it belongs.\n',
    })
  })
})

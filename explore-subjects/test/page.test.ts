import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const page = read('../../docs/explored-libraries.md')
const { dependencies } = JSON.parse(read('../package.json')) as {
  readonly dependencies: Readonly<Record<string, string>>
}
const causes = JSON.parse(read('./pinned-causes.json')) as Readonly<Record<string, readonly string[]>>

describe('docs/explored-libraries.md', () => {
  it('names the versions that are explored', () => {
    // What these libraries stand on is no subject.
    const explored = Object.entries(dependencies).filter(([name]) => !name.startsWith('@chaos/') && name !== 'pg')
    expect(explored).toHaveLength(9)
    for (const [name, version] of explored) expect(page.toLowerCase()).toContain(`${name} ${version}`)
  })

  it('names every cause that is known', () => {
    for (const cause of new Set(Object.values(causes).flat()))
      // The deadline is no part of the cause.
      expect(page).toContain(cause.split(':')[0])
  })
})

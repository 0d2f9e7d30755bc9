import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { injectors, packages, repositoryFiles, root, sourceFiles } from '../src/repository.js'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Catalog {
  readonly catalog: {
    readonly name: string
    readonly info: { readonly options: { readonly properties?: Readonly<Record<string, unknown>> } }
  }
}

describe('error codes', () => {
  it('each have a page, and no page is left over', () => {
    const thrown = new Set(
      packages
        .flatMap(sourceFiles)
        .flatMap((file) =>
          [
            ...read(file).matchAll(
              /new ChaosError\(\s*'(CHAOS_[A-Z_]+)'|(?:refused|forbidden|unreachable|fail)\('(CHAOS_[A-Z_]+)'/g,
            ),
          ].map(([, direct, helped]) => direct ?? helped ?? ''),
        ),
    )
    const pages = repositoryFiles('docs/errors/*.md').map((file) => file.slice('docs/errors/'.length, -'.md'.length))
    expect([...thrown].filter((code) => !pages.includes(code)).sort(), 'thrown, but without a page').toEqual([])
    const mentioned = packages.flatMap(sourceFiles).map(read).join('\n')
    expect(
      pages.filter((code) => !mentioned.includes(code)),
      'a page, but never thrown',
    ).toEqual([])
  })

  it('have pages that say what happened, with an example message, and what to do', () => {
    for (const file of repositoryFiles('docs/errors/*.md')) {
      const text = read(file)
      expect(text, file).toMatch(/^# CHAOS_[A-Z_]+\n\n[A-Z][^#]+\n\n```text\n[^`]/)
      expect(text, file).toMatch(/what to do/i)
    }
  })
})

describe('faults', () => {
  it.each(injectors.map(({ id }) => id))('of @chaos/%s each have a page that names every option', async (id) => {
    const { faults } = (await import(`@chaos/${id}/faults`)) as { readonly faults: readonly Catalog[] }
    expect(faults.length).toBeGreaterThan(0)
    for (const { catalog } of faults) {
      const page = `docs/faults/${catalog.name}.md`
      expect(existsSync(join(root, page)), page).toBe(true)
      for (const option of Object.keys(catalog.info.options.properties ?? {}))
        expect(read(page), `${page}: ${option}`).toContain(`\`${option}\``)
    }
  })
})

describe('links', () => {
  it('lead somewhere', () => {
    const broken = repositoryFiles('*.md').flatMap((file) =>
      [
        ...read(file)
          .replace(/```[\s\S]*?```/g, '')
          .matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g),
      ].flatMap(([, target = '']) => (existsSync(join(root, dirname(file), target)) ? [] : [`${file}: ${target}`])),
    )
    expect(broken).toEqual([])
  })
})

describe('tracked files', () => {
  it('hold no path of a machine and no address of a package registry', () => {
    const files = repositoryFiles().filter((file) => !/\.(png|jpg|ico)$/.test(file) && file !== 'pnpm-lock.yaml')
    const patterns = [/\/(?:home|Users|work)\/[\w.-]+\/[\w.-]+/, /https?:\/\/(?:registry|deb)\./]
    expect(
      files.filter(
        (file) => file !== 'e2e/test/docs.e2e.test.ts' && patterns.some((pattern) => pattern.test(read(file))),
      ),
    ).toEqual([])
  })

  it('give every published package a README and a licence', () => {
    for (const { dir } of packages)
      for (const file of ['README.md', 'LICENSE']) expect(existsSync(join(dir, file)), `${dir}/${file}`).toBe(true)
  })
})

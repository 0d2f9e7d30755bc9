import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { environment, privateFolder } from './support.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

it('has an example that runs and prints what the README says', async () => {
  const readme = readFileSync(`${folder}README.md`, 'utf8')
  const [, code = '', output] = /^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/m.exec(readme) ?? []
  // The command as it is built here, not one that npm would look for.
  const built = code.replace(
    `command: 'npx', args: ['chaos-mcp', 'serve']`,
    `command: process.execPath, args: ['dist/bin.js']`,
  )
  expect(built).not.toBe(code)
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', built], {
    cwd: folder,
    env: environment(privateFolder()),
  })
  expect(stdout).toBe(output)
})

it('has a skill whose head clients can read', () => {
  const skill = readFileSync(`${folder}SKILL.md`, 'utf8')
  const [, name, description = ''] = /^---\nname: ([a-z0-9-]{1,64})\ndescription: (.+)\n---\n/.exec(skill) ?? []
  expect(name).toBe('chaos-harness')
  // The limit of clients.
  expect(description.length).toBeLessThanOrEqual(1_024)
})

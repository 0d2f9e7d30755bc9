import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const SCRIPT = `
  const server = createServer((req, res) => handler.handle(req, res))
  const handler = createHandler(createChaos({ environment: 'test' }), { token: 'at-least-16-characters' })
  server.listen(0, '127.0.0.1', async () => {
    const base = 'http://127.0.0.1:' + server.address().port + '/chaos/'
    const read = async (file) => (await fetch(base + file)).text()
    console.log(JSON.stringify([await read('page.js'), await read('page.css')]))
    await handler.close()
    server.closeAllConnections()
    server.close()
  })`

it.each([
  [
    'an ES module',
    ['--input-type=module'],
    `import { createServer } from 'node:http'; import { createChaos } from '@chaos/core'; import { createHandler } from './dist/index.js';${SCRIPT}`,
  ],
  [
    'CommonJS',
    ['--input-type=commonjs'],
    `const { createServer } = require('node:http'), { createChaos } = require('@chaos/core'), { createHandler } = require('./dist/index.cjs');${SCRIPT}`,
  ],
])('the published package finds the files of the page as %s', async (_kind, flags, script) => {
  const folder = new URL('../', import.meta.url)
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '-e', script], { cwd: folder })
  const files = ['page.js', 'page.css'].map((name) => readFile(new URL(`dist/page/${name}`, folder), 'utf8'))
  expect(JSON.parse(stdout)).toEqual(await Promise.all(files))
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { SignJWT, jwtVerify } from 'jose'
import { appFolder } from '../src/config.js'

const SCRIPT = `
  const { Worker, isMainThread, parentPort } = require('node:worker_threads')
  const read = () => [Date.now(), new Date().getTime(), Date.parse(Date()), performance.timeOrigin + performance.now(), new Date(0).getTime(), new Date() instanceof Date]
  const worker = new Worker(${JSON.stringify("require('node:worker_threads').parentPort.postMessage([Date.now(), new Date().getTime()])")}, { eval: true })
  worker.once('message', (inWorker) => console.log(JSON.stringify({ main: read(), inWorker })))
`

it.each([-3_600_000, -12_000, 5_000, 3_600_000])('a process and its threads live %i ms off', async (shiftMs) => {
  const before = Date.now()
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', SCRIPT], {
    env: { ...process.env, NODE_OPTIONS: `--require ${appFolder}e2e/clock.cjs`, CLOCK_OFFSET_MS: String(shiftMs) },
  })
  const {
    main: [now, made, text, precise, epoch, isDate],
    inWorker,
  } = JSON.parse(stdout) as { main: [number, number, number, number, number, boolean]; inWorker: number[] }
  expect([epoch, isDate]).toEqual([0, true])
  // The text has whole seconds.
  for (const at of [now, made, text + 999, precise, ...inWorker]) {
    expect(at - shiftMs).toBeGreaterThanOrEqual(before - 100)
    expect(at - shiftMs).toBeLessThanOrEqual(Date.now() + 1_100)
  }
})

it('the tokens of the load are good on either side of an hour', async () => {
  // As demo/load.ts makes them: with an end far off, and no word of when they were made.
  const key = new TextEncoder().encode('a secret of at least thirty-two characters')
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('u')
    .setExpirationTime('48h')
    .sign(key)
  for (const shiftMs of [-3_600_000, 3_600_000])
    await expect(jwtVerify(token, key, { currentDate: new Date(Date.now() + shiftMs) })).resolves.toBeDefined()
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath } from '../../src/browser.js'
import { root } from '../../src/repository.js'
import { runOrThrow } from '../../src/run.js'

const program = chromiumPath()
const PICTURES = ['page.png', 'page-dark.png', 'page-phone.png']
/** The largest picture of a page, in bytes. */
const MAX_BYTES = 300_000

/** Width and height of a PNG, from its header. */
function sizeOf(path: string): readonly [number, number] {
  const content = readFileSync(path)
  expect(content.subarray(1, 4).toString('latin1')).toBe('PNG')
  expect(content.length).toBeLessThan(MAX_BYTES)
  return [content.readUInt32BE(16), content.readUInt32BE(20)]
}

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'the pictures of the page (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    it('are made by the script, with the size of those in the documentation', { timeout: 300_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'chaos-pictures-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      await runOrThrow(process.execPath, [join(root, 'e2e/scripts/page-picture.mjs'), folder], {
        env: { ...process.env, CHROMIUM_PATH: program },
        timeoutMs: 280_000,
      })
      for (const name of PICTURES)
        expect(sizeOf(join(folder, name)), name).toEqual(sizeOf(join(root, 'docs/images', name)))
    })
  },
)

import { inject } from '@chaos/core'
import fs from 'node:fs'
import * as namespace from 'node:fs'
import fsPromises from 'node:fs/promises'
import { it } from 'vitest'
import { delayFileOperations, failFileOperations, hangFileOperations } from './index.js'

it('takes the fs modules, and checks options', () => {
  void inject(failFileOperations({ paths: '/var/data/*', error: 'fs/erofs', operations: 'open' }), fs, {
    only: 'open *',
  })
  void inject(failFileOperations({ paths: ['a', 'b'], operations: ['f*sync'] }), fsPromises)
  void inject(delayFileOperations({ paths: '*', delayMs: 5, jitterMs: 5, distribution: 'normal' }), namespace)
  void inject(hangFileOperations({ paths: '*' }), fs)
  // @ts-expect-error -- which files must be said
  failFileOperations()
  // @ts-expect-error -- no such outage of files
  failFileOperations({ paths: '*', error: 'net/econnrefused' })
  // @ts-expect-error -- a delay is needed
  delayFileOperations({ paths: '*' })
  // @ts-expect-error -- no such option
  hangFileOperations({ paths: '*', forMs: 5 })
  // @ts-expect-error -- not the fs module
  void inject(hangFileOperations({ paths: '*' }), new Map())
})

import { inject } from '@chaos/core'
import type { AbstractLevel } from 'abstract-level'
import { Level } from 'level'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindLevel } from './index.js'

it('takes databases of level and their class', () => {
  void inject(
    refuseCalls({ methods: ['put', 'batch'], error: 'fs/enospc' }),
    bindLevel(new Level<string, number>('folder', { valueEncoding: 'json' })),
    { only: (args) => args[0] === 'key' },
  )
  bindLevel(Level)
  bindLevel(new Level('folder').sublevel('users'))
  // @ts-expect-error -- not a database
  bindLevel(new Map())
  // @ts-expect-error -- not a class of databases
  bindLevel(Map)
})

it.each<(database: AbstractLevel<unknown>) => unknown>([bindLevel])('takes databases on any store', () => undefined)

import { inject } from '@chaos/core'
import type { AbstractLevel } from 'abstract-level'
import { Level } from 'level'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { levelOperations } from './index.js'

it('takes databases of level and their class', () => {
  void inject(
    refuseCalls({ methods: ['put', 'batch'], error: 'fs/enospc' }),
    levelOperations(new Level<string, number>('folder', { valueEncoding: 'json' })),
    { only: (args) => args[0] === 'key' },
  )
  levelOperations(Level)
  levelOperations(new Level('folder').sublevel('users'))
  // @ts-expect-error -- not a database
  levelOperations(new Map())
  // @ts-expect-error -- not a class of databases
  levelOperations(Map)
})

it.each<(database: AbstractLevel<unknown>) => unknown>([levelOperations])(
  'takes databases on any store',
  () => undefined,
)

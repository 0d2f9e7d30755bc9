import { inject } from '@chaos/core'
import mysql from 'mysql2'
import promises from 'mysql2/promise'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { bindMysql2 } from './index.js'

it('takes pools and connections of mysql2, and the class of connections', async () => {
  void inject(
    refuseCalls({ methods: ['INSERT', 'connect'], error: 'mysql/deadlock' }),
    bindMysql2(mysql.createPool({})),
    { only: (args) => String(args[0]).includes('accounts') },
  )
  bindMysql2(mysql.createConnection({}))
  bindMysql2(promises.createPool({}))
  bindMysql2(await promises.createConnection({}))
  bindMysql2(mysql.Connection)
  // @ts-expect-error -- neither
  bindMysql2(new Map())
})

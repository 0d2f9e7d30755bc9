import { inject } from '@chaos/core'
import mysql from 'mysql2'
import promises from 'mysql2/promise'
import { it } from 'vitest'
import { refuseCalls } from '../../calls/index.js'
import { mysqlQueries } from './index.js'

it('takes pools and connections of mysql2, and the class of connections', async () => {
  void inject(
    refuseCalls({ methods: ['INSERT', 'connect'], error: 'mysql/deadlock' }),
    mysqlQueries(mysql.createPool({})),
    { only: (args) => String(args[0]).includes('accounts') },
  )
  mysqlQueries(mysql.createConnection({}))
  mysqlQueries(promises.createPool({}))
  mysqlQueries(await promises.createConnection({}))
  mysqlQueries(mysql.Connection)
  // @ts-expect-error -- neither
  mysqlQueries(new Map())
})

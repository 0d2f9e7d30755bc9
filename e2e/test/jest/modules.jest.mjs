import { jest } from '@jest/globals'
import { cases } from './cases.cjs'

cases({ jest, load: (name) => import(name) })

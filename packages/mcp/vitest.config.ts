import { defineConfig } from 'vitest/config'
import { base } from '../../vitest.base.js'

// Each test starts an app, a server and sometimes a terminal, each a process of its own.
export default defineConfig({ test: { ...base.test, testTimeout: 180_000, hookTimeout: 180_000 } })

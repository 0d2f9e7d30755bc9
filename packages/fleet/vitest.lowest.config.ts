import { lowestPeers } from '../../vitest.lowest.js'

// Each test of what a fleet does to an application starts one: too many for the quick form of the soak.
const slow = process.env['CHAOS_SOAK'] === 'quick' ? [] : ['test/harmless.test.ts']

export default lowestPeers(import.meta.url, ['src/transports/redis/**/*.test.ts', ...slow])

import { lowestPeers } from '../../vitest.lowest.js'

export default lowestPeers(import.meta.url, ['src/drivers/**/*.test.ts'])

import { lowestPeers } from '../../vitest.lowest.js'

// What the package exports has nothing to do with what is installed.
export default lowestPeers(import.meta.url, ['src/clients/*/*.test.ts'], [])

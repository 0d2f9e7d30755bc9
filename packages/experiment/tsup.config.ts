import { defineConfig } from 'tsup'
import { base } from '../../tsup.base.js'

// The JSON Schema is shipped beside the code.
export default defineConfig({ ...base, entry: { index: 'src/index.ts' }, publicDir: 'schema' })

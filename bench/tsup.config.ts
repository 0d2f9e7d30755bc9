import { defineConfig } from 'tsup'
import { base } from '../tsup.base.js'

export default defineConfig({ ...base, entry: { main: 'src/main.ts' }, format: ['esm'], dts: false, target: 'node20' })

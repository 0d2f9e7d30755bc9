import { defineConfig } from 'tsup'
import { base, entriesBeside } from '../../tsup.base.js'

export default defineConfig({ ...base, entry: { ...entriesBeside(import.meta.url), bin: 'src/bin.ts' } })

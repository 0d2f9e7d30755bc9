import type { Options } from 'tsup'

/** How every published package is built: ESM and CommonJS with types, for Node.js 18 and up. */
export const base = {
  format: ['esm', 'cjs'],
  target: 'node18',
  platform: 'node',
  clean: true,
  sourcemap: true,
  shims: true,
  // tsup's declaration build still sets `baseUrl`, which TypeScript 6 calls deprecated (TS5101).
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
} satisfies Options

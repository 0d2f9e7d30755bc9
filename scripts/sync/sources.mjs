// What sync writes into the sources: the exports of faults, lists of all faults, and the list of probe types.
import { basename } from 'node:path'
import { inRegion } from './text.mjs'
import { read } from './tree.mjs'

const NOTE = '// Written by `npm run sync` from the tree.'

/** `index.ts` of each entry that has faults: one export a fault. */
export function indexesOf({ groups }) {
  return groups.map(({ index, own }) => {
    const lines = own.map(({ factory, options, file }) => {
      const names = options === undefined ? factory : `${factory}, type ${options}`
      return `export { ${names} } from './faults/${basename(file, '.ts')}.js'`
    })
    return [index, inRegion(index, read(index), 'faults', lines.join('\n'))]
  })
}

const namesOf = (faults) => faults.map(({ factory }) => factory).sort()
const list = (names) => `[${names.join(', ')}] as const`
/** A list whose declaration names its members, and does not repeat the types of all their options. */
const listNamed = (name, members) =>
  `export const ${name}: readonly [${members.map((one) => `typeof ${one}`).join(', ')}] = [${members.join(', ')}]`

/** `src/faults.ts`: all faults of the package, and those of each entry where it has several. */
export function listsOf({ id, dir, faults, groups }) {
  if (faults.length === 0) return []
  const imports = groups.map(({ index, own }) => {
    const path = index.slice(`${dir}/src/`.length).replace(/\.ts$/, '.js')
    return `import { ${namesOf(own).join(', ')} } from './${path}'`
  })
  const lists = groups.map(
    ({ folder, all }) =>
      `/** The faults that the entry in \`${folder}/\` exports. */\n${listNamed(groupName(folder), namesOf(all))}`,
  )
  const all = `/** Every fault of \`@chaos/${id}\`. */\n${listNamed('faults', namesOf(faults))}`
  return [[`${dir}/src/faults.ts`, [NOTE, imports.join('\n'), ...(lists.length > 1 ? lists : []), all].join('\n\n')]]
}

/** `calls` → `callFaults`, `http` → `httpFaults` */
export const groupName = (folder) => `${{ calls: 'call', files: 'file', src: 'tcp' }[folder] ?? folder}Faults`

/** The list of probe types. */
export function probeTypesOf({ dir, probes }) {
  if (probes.length === 0) return []
  // What holds a function cannot stand in a file.
  const portable = probes.filter(({ file }) => !/\bv\.custom<\(\) =>/.test(read(file)))
  const listOf = (some) => list(some.map(({ name }) => name))
  return [
    [
      `${dir}/src/probes/every-type.ts`,
      [
        NOTE,
        probes.map(({ file, name }) => `import { ${name} } from './${basename(file, '.ts')}.js'`).join('\n'),
        `/** The types of probes that a file can hold. */\nexport const PORTABLE_PROBES = ${listOf(portable)}`,
        `/** Every type of probe: also those that hold code, which only a module can. */\nexport const PROBES = ${listOf(probes)}`,
      ].join('\n\n'),
    ],
  ]
}

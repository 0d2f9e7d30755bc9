// The kinds of skeletons: how each is named, and which files it has. Sync writes everything else.

const FAULTS = {
  eventbus: { templates: 'fault-eventbus', folder: 'packages/eventbus/src' },
  worker: { templates: 'fault-worker', folder: 'packages/worker/src' },
  'adapter/calls': { templates: 'fault-calls', folder: 'packages/adapter/src/calls' },
  'adapter/http': { templates: 'fault-http', folder: 'packages/adapter/src/http' },
  proxy: { templates: 'fault-proxy', folder: 'packages/proxy/src' },
}

const changeset = (name, package_, bump, news) => ({
  template: 'changeset.md',
  path: `.changeset/${name}.md`,
  values: { package: package_, bump, news },
})

const faultFiles = (templates, folder, pkg, name) => [
  { template: `${templates}/fault.ts`, path: `${folder}/faults/${name}.ts` },
  { template: `${templates}/fault.test.ts`, path: `${folder}/faults/${name}.test.ts` },
  { template: `${templates}/page.md`, path: `docs/faults/${pkg}/${name}.md` },
]

const bindingFiles = (kind, folder, pkg, { name, pascal }) => [
  ...['index.ts', 'index.test.ts', 'index.test-d.ts', `${kind}.json`].map((file) => ({
    template: `${kind}/${file}`,
    path: `packages/${pkg}/src/${folder}/${name}/${file}`,
  })),
  changeset(`bind-${name}-in-${pkg}`, pkg, 'minor', `Add \`bind${pascal}\`.`),
]

/**
 * By kind: `where` a thing of that kind can be, whether it binds a library, and its files.
 * The last part of a name is the name of the thing; what stands before it says where it belongs.
 */
export const KINDS = {
  fault: {
    where: Object.keys(FAULTS),
    files({ where, name, camel }) {
      const { templates, folder } = FAULTS[where]
      const pkg = where.split('/')[0]
      return [
        ...faultFiles(templates, folder, pkg, name),
        changeset(`add-${name}`, pkg, 'minor', `Add the fault \`${camel}\` (\`${pkg}/${name}\`).`),
      ]
    },
  },
  client: {
    where: ['eventbus'],
    bindsLibrary: true,
    files: (names) => bindingFiles('client', 'clients', 'eventbus', names),
  },
  driver: {
    where: ['adapter'],
    bindsLibrary: true,
    files: (names) => bindingFiles('driver', 'drivers', 'adapter', names),
  },
  probe: {
    where: ['experiment'],
    files: ({ name }) => [
      { template: 'probe/probe.ts', path: `packages/experiment/src/probes/${name}.ts` },
      { template: 'probe/probe.test.ts', path: `packages/experiment/src/probes/${name}.test.ts` },
      changeset(`add-${name}-probe`, 'experiment', 'minor', `Add probes of the type \`${name}\`.`),
    ],
  },
  injector: {
    // Any package that is not there yet.
    where: undefined,
    files({ where, name }) {
      const folder = `packages/${where}`
      return [
        ...['package.json', 'tsconfig.json', 'tsup.config.ts', 'vitest.config.ts', 'README.md'].map((file) => ({
          template: `injector/${file}`,
          path: `${folder}/${file}`,
        })),
        { copy: 'LICENSE', path: `${folder}/LICENSE` },
        ...['index.ts', 'index.test.ts', 'target.ts'].map((file) => ({
          template: `injector/${file}`,
          path: `${folder}/src/${file}`,
        })),
        ...faultFiles('injector', `${folder}/src`, where, name),
        changeset(`first-release-of-${where}`, where, 'major', 'The first release.'),
      ]
    },
  },
}

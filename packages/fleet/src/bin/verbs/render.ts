import { randomBytes } from 'node:crypto'
import { fleetOptions } from '../arguments/common-options.js'
import { usage, type Arguments } from '../arguments/arguments.js'
import { fleetOf, withTransport } from '../arguments/fleet.js'
import type { InstanceRecord } from '../../plan/instance.js'
import { EXIT } from '../process/exit-codes.js'
import { namesInstances, podsNamed } from '../render/pods.js'
import { stepsOfFile } from '../render/steps.js'
import type { Verb } from '../verb.js'

/** Writes manifests for Chaos Mesh. */
export const render: Verb = {
  summary: 'writes manifests for Chaos Mesh from the infrastructure steps of a file, and applies nothing',
  usage: '<experiment> | <steps>',
  notes: [
    'The file is YAML or JSON: a step of a Chaos Mesh fault, a list of them, or an experiment whose method injects `chaos-mesh/…`.',
    'Where a list of pods is due, `pods[service=cart,share=0.5]` stands for the pods of those instances of the fleet, by the names',
    'that they have registered from POD_NAME and POD_NAMESPACE. Only then a fleet is asked, and --on or CHAOS_FLEET_URL is needed.',
  ],
  options: {
    ...fleetOptions,
    'run-id': { value: '<id>', help: 'the run that the objects belong to (default: a new one)' },
    seed: { value: '<text>', help: 'seed of the choice of instances (default: chaos)' },
  },
  maxPositionals: 1,
  async run(args, io) {
    const [path] = args.positionals
    if (path === undefined) throw usage('Name a file with steps, or an experiment.')
    const runId = args.text('run-id') ?? randomBytes(15).toString('hex')
    const { steps, others } = await stepsOfFile(path)
    // The objects of one file are deleted together, by the selector that is printed.
    if (steps.some((step) => 'runId' in step))
      throw usage('A step names no run here. Leave `runId` out, or use `--run-id`.')
    const records = steps.some(namesInstances) ? await instancesOf(args) : []
    const seed = args.text('seed') ?? 'chaos'
    // Loaded last: nothing else of the command needs a writer of YAML.
    const { chaosMeshYaml, lintChaosMesh, renderChaosMesh, runSelector } = await import('../../delegates/index.js')
    const manifests = steps.flatMap((step) => renderChaosMesh({ runId, ...podsNamed(step, records, seed) } as never))
    const findings = manifests.flatMap((manifest) =>
      lintChaosMesh(manifest).map(({ path: at, message }) => `${manifest.metadata.name}: ${at}: ${message}`),
    )
    if (findings.length > 0) throw usage(`What would be written is dangerous:\n${findings.join('\n')}`)
    const names = manifests.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw usage(`Two steps would write ${twice}. Give each step a \`name\` of its own.`)
    if (args.isOn('json')) {
      io.json({ isApplied: false, runId, selector: runSelector(runId), otherSteps: others, manifests })
      return EXIT.ok
    }
    io.out('# Nothing was applied. These manifests are text; Chaos Mesh acts on them when you apply them:')
    io.out('#   kubectl apply --dry-run=server -f <file>, then kubectl apply -f <file>')
    io.out('# `chaos fleet halt` does not reach what they do. This ends it:')
    io.out(`#   kubectl delete podchaos,networkchaos -A -l ${runSelector(runId)}`)
    if (others > 0) io.out(`# ${others} other steps of the experiment are not of Chaos Mesh, and are left out.`)
    io.raw(chaosMeshYaml(manifests).trimEnd())
    return EXIT.ok
  },
}

/** The instances of the fleet; of one environment if the URL names one. */
async function instancesOf(args: Arguments): Promise<readonly InstanceRecord[]> {
  const address = fleetOf(args)
  const records = await withTransport(address, (transport) => transport.list())
  return records.filter(({ environment }) => address.environment === undefined || environment === address.environment)
}

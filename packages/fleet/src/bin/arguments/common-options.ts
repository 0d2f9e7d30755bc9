import type { OptionSpecs } from './arguments.js'

export const jsonOption = { json: { help: 'one JSON document on standard output' } } satisfies OptionSpecs

/** The options of verbs that talk to a fleet. */
export const fleetOptions = {
  on: {
    value: '<url>',
    help: 'the fleet: redis://host:6379?fleet=shop&environment=staging (default: CHAOS_FLEET_URL)',
  },
  ...jsonOption,
} satisfies OptionSpecs

export const reasonOption = { reason: { value: '<text>', help: 'why, for the audit log' } } satisfies OptionSpecs

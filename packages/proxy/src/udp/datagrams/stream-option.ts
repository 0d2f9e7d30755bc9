import { streamOptionOf } from '../../toxics/stream-option.js'

/** The option `stream` of faults on datagrams. Many protocols send in one direction only, so that the default is both. */
export const datagramStreamOption = streamOptionOf('Datagrams', 'both')

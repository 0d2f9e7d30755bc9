export {
  transportContract,
  type TransportCase,
  type TransportContract,
  type TransportScene,
} from './transport-contract.js'

export { createAuthority, type Authority, type AuthorityOptions, type Identity, type Validity } from './authority.js'

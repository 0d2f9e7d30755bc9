export {
  createHandler,
  type ControlHandler,
  type HandlerOptions,
  type PageOptions,
} from './endpoints/create-handler.js'
export { mountEndpoint, type MountedEndpoint } from './endpoints/mount-endpoint.js'
export { openSocket, type ControlEndpoint, type SocketOptions } from './endpoints/unix-socket.js'
export { errorInfo, type ErrorInfo } from './api/error-table.js'
export { openApiDocument, type OpenApiDocument } from './api/openapi.js'
export { chooseProcess, type ProcessFlags } from './client/choose-process.js'
export { connect, type ConnectOptions } from './client/connect.js'
export { discover, type DiscoverOptions, type LocalProcess } from './client/discover.js'
export { installedPackages, type InstalledPackage, type InstalledPackages } from './installed/installed-packages.js'
export { privateDirectories } from './endpoints/socket-directory.js'
export type { AppEvent } from './api/app-event.js'
export type { AuditEntry } from './api/audit-log.js'
export type { Address, SocketAddress, UrlAddress } from './client/address.js'
export type { BatchedInjection, ControlClient, HoldOptions, RemoteInjectOptions } from './client/control-client.js'
export type { Controlled } from './endpoints/controlled.js'

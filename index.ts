export {
  capabilities,
  type Capabilities,
  type LimitCapabilities,
  type PerBackend,
} from './lib/addon/capabilities.js'
export type {
  AcquiredMessage,
  DiagnosticsMessages,
  FailedMessage,
  ReleasedMessage,
  SemaphoreMessage,
  WaitMessage,
} from './lib/diagnostics/semaphore-messages.js'
export { IpcError, type IpcErrorDetails } from './lib/errors.js'
export { ftok } from './lib/semaphore/ftok.js'
export { list, type Listing } from './lib/diagnostics/list.js'
export type {
  LockAcquiredMessage,
  LockDiagnosticsMessages,
  LockFailedMessage,
  LockMessage,
  LockReleasedMessage,
  LockWaitMessage,
} from './lib/diagnostics/lock-messages.js'
export type { ListedLock } from './lib/lock/listed.js'
export type {
  HostLock,
  HostLockGrantedCallback,
  HostLocks,
  Lock,
  LockGrantedCallback,
  LockInfo,
  LockManager,
  LockManagerSnapshot,
  LockMode,
  LockOptions,
} from './lib/lock/types.js'
export { locks } from './lib/lock/locks.js'
export type { Backend, Id, Owner } from './lib/options.js'
export type { LimitEngine } from './lib/limit/engine.js'
export type { LimitHolder, LimitInfo } from './lib/limit/info.js'
export type {
  CreateLimitOptions,
  LimitEngineOptions,
  OpenLimitOptions,
  OpenOrCreateLimitOptions,
} from './lib/limit/options.js'
export { Limit } from './lib/limit/limit.js'
export { Permit } from './lib/limit/permit.js'
export type { PermitLike, PermitSource, PermitSourceInfo } from './lib/limit/permit-source.js'
export type {
  BackendOptions,
  CreateSemaphoreOptions,
  OpenOrCreateSemaphoreOptions,
  OpenSemaphoreOptions,
} from './lib/semaphore/options.js'
export { Semaphore } from './lib/semaphore/semaphore.js'
export type { WaitOptions, WaitSyncOptions } from './lib/waiting/options.js'
export type { SemaphoreInfo } from './lib/semaphore/info.js'
export type {
  CreateSharedMemoryOptions,
  OpenOrCreateSharedMemoryOptions,
  OpenSharedMemoryOptions,
} from './lib/memory/options.js'
export { SharedMemory } from './lib/memory/shared-memory.js'
export type { SharedMemoryInfo } from './lib/memory/info.js'
export { settings, type Settings } from './lib/waiting/settings.js'
export { Channel } from './lib/channel/channel.js'
export type { ChannelInfo } from './lib/channel/info.js'
export type { ListedChannel } from './lib/channel/listed.js'
export type { Codec } from './lib/channel/layout.js'
export type {
  BatchesOptions,
  CreateChannelOptions,
  OpenChannelOptions,
  OpenOrCreateChannelOptions,
  ReceiveOptions,
} from './lib/channel/options.js'
export type {
  ChannelDiagnosticsMessages,
  ChannelMessage,
  ChannelWaitMessage,
} from './lib/diagnostics/channel-messages.js'

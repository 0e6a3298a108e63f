export { capabilities, type Capabilities, type PerBackend } from './lib/capabilities.js'
export type {
  AcquiredMessage,
  DiagnosticsMessages,
  FailedMessage,
  ReleasedMessage,
  SemaphoreMessage,
  WaitMessage,
} from './lib/diagnostics-messages.js'
export { IpcError } from './lib/errors.js'
export { ftok } from './lib/ftok.js'
export { list, type Listing } from './lib/list.js'
export type {
  LockAcquiredMessage,
  LockDiagnosticsMessages,
  LockFailedMessage,
  LockMessage,
  LockReleasedMessage,
  LockWaitMessage,
} from './lib/lock-messages.js'
export type { ListedLock } from './lib/listed-lock.js'
export type {
  Lock,
  LockGrantedCallback,
  LockInfo,
  LockManager,
  LockManagerSnapshot,
  LockMode,
  LockOptions,
} from './lib/lock-types.js'
export { locks } from './lib/locks.js'
export type { Backend, Id, Owner } from './lib/options.js'
export { Permit } from './lib/permit.js'
export type { PermitLike, PermitSource, PermitSourceInfo } from './lib/permit-source.js'
export {
  type BackendOptions,
  type CreateSemaphoreOptions,
  type OpenOrCreateSemaphoreOptions,
  type OpenSemaphoreOptions,
  Semaphore,
  type WaitOptions,
  type WaitSyncOptions,
} from './lib/semaphore.js'
export type { SemaphoreInfo } from './lib/semaphore-info.js'
export {
  type CreateSharedMemoryOptions,
  type OpenOrCreateSharedMemoryOptions,
  type OpenSharedMemoryOptions,
  SharedMemory,
} from './lib/shared-memory.js'
export type { SharedMemoryInfo } from './lib/shared-memory-info.js'

export { IpcError } from './lib/errors.js'
export { ftok } from './lib/ftok.js'
export {
  SharedMemory,
  type SharedMemoryCreateOptions,
  type SharedMemoryInfo,
  type SharedMemoryOpenOptions,
  type SharedMemoryOpenOrCreateOptions,
} from './lib/shared-memory.js'

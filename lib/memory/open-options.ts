import type { Owner } from '../options.js'

/** The options of {@link SharedMemory.create}. */
export interface CreateSharedMemoryOptions {
  /** The size in bytes, at least 1. */
  size: number
  /** Permission bits, independent of the umask; `0o600` when missing. */
  mode?: number | undefined
}

/** The options of {@link SharedMemory.open} and {@link SharedMemory.attach}. */
export interface OpenSharedMemoryOptions {
  /** Maps the memory read-only, so that this process cannot write to it. */
  readOnly?: boolean | undefined
  /** Another owner whose object this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** The options of {@link SharedMemory.openOrCreate}. */
export interface OpenOrCreateSharedMemoryOptions extends CreateSharedMemoryOptions {
  /** Another owner whose object this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

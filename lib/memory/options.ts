import type { OptionNames } from '../misuse.js'
import { checkBoolean, checkMode, checkOptions, checkOwner, checkSize, type Owner } from '../options.js'

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

const CREATE: OptionNames<CreateSharedMemoryOptions> = { size: true, mode: true }
const OPEN: OptionNames<OpenSharedMemoryOptions> = { readOnly: true, owner: true }
const OPEN_OR_CREATE: OptionNames<OpenOrCreateSharedMemoryOptions> = { ...CREATE, owner: true }

/** Checks the options of `create`. */
export function creation(options: CreateSharedMemoryOptions) {
  const { size, mode } = checkOptions(options, CREATE)
  return { size: checkSize(size), mode: checkMode(mode) }
}

/** Checks the options of `open` and `attach`. */
export function opening(options: OpenSharedMemoryOptions | undefined) {
  const { readOnly, owner } = checkOptions(options, OPEN)
  return { readOnly: checkBoolean('readOnly', readOnly), owner: checkOwner(owner) }
}

/** Checks the options of `openOrCreate`. */
export function openingOrCreation(options: OpenOrCreateSharedMemoryOptions) {
  const { size, mode, owner } = checkOptions(options, OPEN_OR_CREATE)
  return { size: checkSize(size), mode: checkMode(mode), owner: checkOwner(owner) }
}

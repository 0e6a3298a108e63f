import type { OptionNames } from '../misuse.js'
import type { Backend, Owner } from '../options.js'

/** The option that selects the backend of an id. */
export interface BackendOptions {
  /** `'sysv'` (the default on Linux) or `'posix'` (the default on darwin). A number is always System V. */
  backend?: Backend | undefined
}

/** The options of {@link Semaphore.create}. */
export interface CreateSemaphoreOptions extends BackendOptions {
  /** The initial value of the counter, 0 to 32,767; with the backend `'posix'` to 2,147,483,647 (darwin: 32,767). */
  initial: number
  /** Permission bits; `0o600` when missing. The umask does not change them. */
  mode?: number | undefined
}

/** The options of {@link Semaphore.open}. */
export interface OpenSemaphoreOptions extends BackendOptions {
  /** Another owner whose semaphore this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** The options of {@link Semaphore.openOrCreate}. */
export interface OpenOrCreateSemaphoreOptions extends CreateSemaphoreOptions, OpenSemaphoreOptions {}

export const BACKEND: OptionNames<BackendOptions> = { backend: true }
export const CREATE: OptionNames<CreateSemaphoreOptions> = { initial: true, mode: true, backend: true }
export const OPEN: OptionNames<OpenSemaphoreOptions> = { owner: true, backend: true }
export const OPEN_OR_CREATE: OptionNames<OpenOrCreateSemaphoreOptions> = { ...CREATE, ...OPEN }

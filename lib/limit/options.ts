import type { OptionNames } from '../misuse.js'
import type { Owner } from '../options.js'
import type { LimitEngine } from './engine.js'

/** The option that selects the engine of a limit. */
export interface LimitEngineOptions {
  /**
   * The engine of the limit. `capabilities.limits` has the engines of this host and the default. Without this option, a
   * limit that exists opens whatever its engine is, and a new limit gets the default engine.
   */
  engine?: LimitEngine | undefined
}

/** The options of {@link Limit.create}. */
export interface CreateLimitOptions extends LimitEngineOptions {
  /** The number of permits, 0 to 32,767. */
  permits: number
  /** Permission bits; `0o600` when missing. The umask does not change them. */
  mode?: number | undefined
}

/** The options of {@link Limit.open}. */
export interface OpenLimitOptions extends LimitEngineOptions {
  /** Another owner whose limit this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** The options of {@link Limit.openOrCreate}. */
export interface OpenOrCreateLimitOptions extends CreateLimitOptions, OpenLimitOptions {}

export const ENGINE: OptionNames<LimitEngineOptions> = { engine: true }
export const CREATE: OptionNames<CreateLimitOptions> = { permits: true, mode: true, engine: true }
export const OPEN: OptionNames<OpenLimitOptions> = { owner: true, engine: true }
export const OPEN_OR_CREATE: OptionNames<OpenOrCreateLimitOptions> = { ...CREATE, ...OPEN }

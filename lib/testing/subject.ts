import { wrongType } from '../errors.js'
import type { OptionNames } from '../misuse.js'
import { checkOptions } from '../options.js'
import type { PermitLike, PermitSource } from '../limit/permit-source.js'

/** The suite's access to the class under test. The suite closes every source that it opens. */
export interface PermitSourceSubject {
  /** Makes a source with this number of permits, under a unique name, and opens it. */
  create(permits: number): PermitSource | Promise<PermitSource>
  /** Opens a source that `create` made a second time, as another process would. */
  open(name: string, permits: number): PermitSource | Promise<PermitSource>
  /** Removes what `create` made, after the test; only needed where closing leaves something behind. */
  remove?: ((name: string) => unknown) | undefined
  /**
   * Makes a permit lost, as far as its holder can tell; missing where permits cannot be lost. The signal may abort some time
   * later.
   */
  lose?: ((permit: PermitLike, source: PermitSource) => unknown) | undefined
  /** The most milliseconds for any step that is not meant to last; 10,000 when missing. */
  patience?: number | undefined
}

const NAMES: OptionNames<PermitSourceSubject> = {
  create: true,
  open: true,
  remove: true,
  lose: true,
  patience: true,
}

/** The subject; without one of its functions the suite would skip cases in silence. */
export function checkSubject(subject: PermitSourceSubject): PermitSourceSubject {
  const { create, open } = checkOptions(subject, NAMES)
  if (typeof create !== 'function') throw wrongType('create', 'a function', create)
  if (typeof open !== 'function') throw wrongType('open', 'a function', open)
  return subject
}

import type { PermitLike, PermitSource } from '../limit/permit-source.js'

/** How the suite gets at the class that is tested. What it opens it closes. */
export interface PermitSourceSubject {
  /** Makes so many permits, under a name that nobody else uses, and opens them. */
  create(permits: number): PermitSource | Promise<PermitSource>
  /** Opens once more what `create` made, as another process would. */
  open(name: string, permits: number): PermitSource | Promise<PermitSource>
  /** Takes away what `create` made, after the test: where something stays behind. */
  remove?: ((name: string) => unknown) | undefined
  /**
   * Makes a permit lost, as far as its holder can find out; missing where permits cannot be lost. The signal may abort
   * some time later.
   */
  lose?: ((permit: PermitLike, source: PermitSource) => unknown) | undefined
  /** How many milliseconds anything may take that is not meant to last; 10,000 when missing. */
  patience?: number | undefined
}

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * Loads a module by a name that bundlers do not see. The module is installed beside the package, or beside the bundle that
 * contains the package.
 *
 * The code of the package is CommonJS. In a bundle of ES modules it has no file name, and in other bundles a file name that
 * does not exist. There this function resolves from the program that was started.
 */
export function requireByName(name: string): unknown {
  const places =
    typeof __filename === 'string' && existsSync(__filename)
      ? [__filename]
      : [...(process.argv[1] === undefined ? [] : [process.argv[1]]), `${process.cwd()}/`]
  let failure: unknown
  for (const place of places) {
    try {
      return createRequire(place)(name)
    } catch (error) {
      failure ??= error
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') break
    }
  }
  throw failure
}

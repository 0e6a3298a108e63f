import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * Loads a module by a name that no bundler sees: it is installed beside the package, or beside the bundle that the package
 * was put into.
 *
 * The code of the package is CommonJS. In a bundle of ES modules it has no file name, and in others one that does not
 * exist. There the program that was started stands for it.
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

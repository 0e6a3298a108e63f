/**
 * What `read` makes of the arguments of a command of this repository. `--help`, and an argument that `read` refuses, print
 * how the command is called.
 *
 * @template T
 * @param {string} usage
 * @param {() => T} read
 * @returns {T}
 */
export function optionsOf(usage, read) {
  if (process.argv.includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return read()
  } catch (error) {
    console.error(`${error.message}\n${usage}`)
    process.exit(2)
  }
}

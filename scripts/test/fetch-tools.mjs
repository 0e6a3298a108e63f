// `npm run tools [-- NAME...]`: fetches into the cache what only some tests need: other runtimes, package managers,
// bundlers. What cannot be had is one line, and its tests are skipped.

import { Missing } from '../cross/missing.mjs'
import { names, tool } from '../cross/npm-tools.mjs'
import { fail } from '../run.mjs'

const wanted = process.argv.slice(2)
const unknown = wanted.find(name => !names.includes(name))
if (unknown) fail(`${unknown} is none of ${names.join(', ')}`, 2)
for (const name of wanted.length > 0 ? wanted : names) {
  try {
    tool(name)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    console.log(`os-ipc: no ${name}, its tests are skipped: ${error.message}`)
  }
}

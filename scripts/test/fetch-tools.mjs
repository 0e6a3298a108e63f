// `npm run tools [-- NAME...]`: fetches the programs that only some tests need into the cache: other runtimes, package
// managers, bundlers, older and other servers of Redis. A missing one is one line, and its tests are skipped.

import { Missing } from '../cross/missing.mjs'
import { names, tool } from '../cross/npm-tools.mjs'
import { fetchRedisServer, redisServers } from '../cross/redis-servers.mjs'
import { fail } from '../run.mjs'

const wanted = process.argv.slice(2)
const all = [...names, ...redisServers]
const unknown = wanted.find(name => !all.includes(name))
if (unknown) fail(`${unknown} is none of ${all.join(', ')}`, 2)
for (const name of wanted.length > 0 ? wanted : all) {
  try {
    if (redisServers.includes(name)) fetchRedisServer(name)
    else tool(name)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    console.log(`os-ipc: no ${name}, its tests are skipped: ${error.message}`)
  }
}

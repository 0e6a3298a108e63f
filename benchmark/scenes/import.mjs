import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { cannot, node } from '../shared/contenders.mjs'
import { home } from '../shared/programs.mjs'
import { milliseconds } from '../shared/targets.mjs'

/** A fresh Node process that imports the package and ends. */
const fresh = specifier =>
  node(() => {
    const args = ['--input-type=module', '-e', specifier ? `import '${specifier}'` : '']
    return count => {
      for (let index = 0; index < count; index += 1) {
        const { status, stderr } = spawnSync(process.execPath, args, { cwd: home, encoding: 'utf8' })
        if (status !== 0) throw new Error(stderr)
      }
    }
  })

const otherRuntime = cannot('starts another runtime')
const builtIn = cannot('is part of Node')

export const scene = {
  name: 'import',
  title: 'A fresh process that imports the package, and ends',
  operation: 'a process',
  rounds: 21,
  count: 1,
  contenders: {
    'os-ipc': fresh(join(home, '../index.js')),
    'an empty process': fresh(undefined),
    'fs-ext': fresh('fs-ext'),
    'os-lock': fresh('os-lock'),
    'proper-lockfile': fresh('proper-lockfile'),
    'async-mutex': fresh('async-mutex'),
    'shm-typed-array': fresh('shm-typed-array'),
    'bare calls': otherRuntime,
    'Python sysv_ipc': otherRuntime,
    'Python posix_ipc': otherRuntime,
    Go: otherRuntime,
    'Unix socket': builtIn,
    'process.send': builtIn,
  },
  targets: [milliseconds('os-ipc', 'an empty process', 10)],
}

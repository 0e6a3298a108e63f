// A program that handles SIGBUS itself, or stops doing so: access to truncated memory is still an error, not a loop or a crash.

import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

const ENDS = {
  'load at 0': 0,
  'load at the end': 0,
  store: 0,
  fill: 0,
  Atomics: 0,
  slice: 0,
  read: 'ERR_TRUNCATED',
  'read at the end': 'ERR_TRUNCATED',
  write: 'ERR_TRUNCATED',
  'a large write': 'ERR_TRUNCATED',
  toBuffer: 'ERR_TRUNCATED',
  clear: 'ERR_TRUNCATED',
}

for (const how of ['none', 'on', 'on and off', 'on, off and on', 'once', 'prepended, with another']) {
  requires(linux)(
    `access to truncated memory is an error where the program handles SIGBUS: ${how}`,
    async t => {
      await Promise.all(
        nodes.map(async node => {
          const process = child(t, 'memory/bus-handler.ts', { node, args: [uniqueName(t), how] })
          t.deepEqual(await process.next(), ENDS)
        }),
      )
    },
  )
}

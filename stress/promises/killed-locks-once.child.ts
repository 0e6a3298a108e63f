// Takes a lock and releases it for good, exclusive and shared: every system call that a lock makes.

import { native } from '../../lib/addon/native.js'
import { managerOf } from '../../__test__/lock/helpers/locks-of.ts'

const [folder, name = ''] = process.argv.slice(2)
for (const mode of ['exclusive', 'shared'] as const) {
  await managerOf(folder).request(name, { mode }, () => {})
  native.closeUnusedLocks()
}

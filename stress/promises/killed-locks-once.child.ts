// Takes a lock and lets it go for good, alone and with others: every system call that a lock makes.

import { native } from '../../lib/addon/native.js'
import { managerOf } from '../../__test__/lock/helpers/locks-of.ts'

const [folder, name = ''] = process.argv.slice(2)
for (const mode of ['exclusive', 'shared'] as const) {
  await managerOf(folder).request(name, { mode }, () => {})
  native.closeUnusedLocks()
}

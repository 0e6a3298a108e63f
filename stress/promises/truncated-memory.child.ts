// Truncates a memory object and grows it again, until it is killed.

import { truncateSync } from 'node:fs'

const [name = '', size] = process.argv.slice(2)
process.stdout.write('"cutting"\n')
for (;;) {
  truncateSync(`/dev/shm${name}`, 0)
  truncateSync(`/dev/shm${name}`, Number(size))
}

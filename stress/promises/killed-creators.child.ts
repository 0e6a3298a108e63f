// Makes a semaphore: `openOrCreate` makes every system call that `create` and `open` make.

import { Semaphore } from '../../index.js'

const [name = '', backend] = process.argv.slice(2)
Semaphore.openOrCreate(name, { initial: 3, backend: backend as 'sysv' | 'posix' })

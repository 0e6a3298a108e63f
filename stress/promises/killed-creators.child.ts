// Makes a semaphore or a limit: `openOrCreate` makes every system call that `create` and `open` make.

import { Limit, Semaphore } from '../../index.js'

const [name = '', kind] = process.argv.slice(2)
if (kind === 'limit') Limit.openOrCreate(name, { permits: 3, engine: 'sysv' })
else if (kind === 'ledger') Limit.openOrCreate(name, { permits: 3, engine: 'ledger' })
else Semaphore.openOrCreate(name, { initial: 3, backend: kind as 'sysv' | 'posix' })

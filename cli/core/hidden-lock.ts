import { EXIT } from './exit.js'
import { Failure } from './failure.js'
import { rows } from './files.js'
import { keyOfLock } from './key.js'
import type { Target } from './target.js'
import { printable } from './text.js'
import { userName } from './users.js'

/** The failure for the lock of another user, which is not on the list: only an attempt to open it finds it. */
export function hiddenLock(target: Target): Failure | undefined {
  if (target.type !== 'name') return undefined
  const key = keyOfLock(target.text)
  const row = rows('/proc/sysvipc/sem')?.find(set => Number(set.key) === key)
  if (row === undefined) return undefined
  return new Failure(
    `no permission for the lock ${printable(target.text)}: it belongs to ${userName(Number(row.uid))}`,
    'a lock is for the processes of one user',
    EXIT.forbidden,
  )
}

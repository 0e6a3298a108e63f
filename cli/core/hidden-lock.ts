import { EXIT } from './exit.js'
import { Failure } from './failure.js'
import { rows } from './files.js'
import { keyOfLock } from './key.js'
import type { Target } from './target.js'
import { printable } from './text.js'
import { userName } from './users.js'

/** A lock of another user, which is not on the list: it was there for the asking, and is not for us. */
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

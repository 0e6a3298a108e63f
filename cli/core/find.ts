import type { Backend } from '../../index.js'
import type { Library } from './command.js'
import { explain, type Subject } from './explain.js'
import { hiddenLock } from './hidden-lock.js'
import type { Failure } from './failure.js'
import { everythingKnown, type Item, limitItem, means, memoryItem, semaphoreItem } from './items.js'
import { libraryId, type Target } from './target.js'

/** The objects of a NAME, and the error that hid further ones. */
export interface Found {
  readonly items: readonly Item[]
  readonly failure: Failure | undefined
}

/** Finds the objects of a name: in the list, or by opening them when the platform has no list or the list has none. */
export function find(ipc: Library, meant: Target): Found {
  const items = everythingKnown(ipc).filter(item => means(meant, item))
  if (items.length > 0) return { items, failure: undefined }
  // An object that this user may not read is not on the list: opening it gives the reason.
  return opened(ipc, meant)
}

function opened(ipc: Library, meant: Target): Found {
  if (meant.type === 'id') return { items: [], failure: undefined }
  const id = libraryId(meant)
  const backends = meant.type === 'name' ? ipc.capabilities.semaphoreBackends : [undefined]
  const looks: [Subject['type'], () => Item][] = [
    ...backends.map((backend): [Subject['type'], () => Item] => [
      'semaphore',
      () => semaphoreOf(ipc, id, backend),
    ]),
    ['limit', () => limitOf(ipc, id)],
    ['memory', () => memoryOf(ipc, id)],
  ]
  const items: Item[] = []
  let failure: Failure | undefined
  for (const [type, look] of looks) {
    // The set of another program opens as a semaphore and as a limit. Here, as in the list, it counts as a semaphore.
    if (type === 'limit' && items.length > 0) continue
    try {
      items.push(look())
    } catch (error) {
      const { code } = error as { code?: string }
      if (!['ENOENT', 'ERR_NOT_SUPPORTED', 'ERR_WRONG_KIND'].includes(code ?? ''))
        failure ??= explain(error, ipc, { type, target: meant })
    }
  }
  return { items, failure: items.length > 0 ? failure : (failure ?? hiddenLock(meant)) }
}

function semaphoreOf(ipc: Library, id: string | number, backend: Backend | undefined): Item {
  const semaphore = ipc.Semaphore.open(id, { backend, owner: 'any' })
  try {
    return semaphoreItem(semaphore.info())
  } finally {
    semaphore.close()
  }
}

function limitOf(ipc: Library, id: string | number): Item {
  const limit = ipc.Limit.open(id, { owner: 'any' })
  try {
    return limitItem(limit.info())
  } finally {
    limit.close()
  }
}

function memoryOf(ipc: Library, id: string | number): Item {
  const memory = ipc.SharedMemory.open(id, { owner: 'any', readOnly: true })
  try {
    return memoryItem(memory.info())
  } finally {
    memory.close()
  }
}

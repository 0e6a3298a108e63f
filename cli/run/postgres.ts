import { IpcError, type LockMode } from '../../index.js'
import type { PostgresLocks } from '../../postgres.js'
import { addressOf } from './address.js'
import type { HeldPermit, PermitSource } from './permits.js'

/** Locks of a database; `os-ipc/postgres` and its peer are loaded only here. */
export async function postgresLocks(address: string): Promise<PostgresLocks> {
  const { PostgresLocks } = await import('../../postgres.js')
  return PostgresLocks.connect(addressOf(address, '--postgres'))
}

/** A lock that many machines share and that this process can hold. */
export async function postgresLockSource(
  address: string,
  name: string,
  mode: LockMode,
): Promise<PermitSource> {
  const locks = await postgresLocks(address)
  return {
    acquire({ timeout }) {
      const options = timeout === 0 ? { mode, ifAvailable: true } : { mode, timeout }
      return new Promise<HeldPermit>((resolve, reject) => {
        const ended = locks.request(name, options, lock => {
          if (lock === null) throw new IpcError('ETIMEDOUT', `the lock '${name}' is held`)
          return new Promise<void>(release => {
            const end = async () => {
              release()
              await ended
            }
            resolve({ release: end, signal: lock.signal })
          })
        })
        ended.catch(reject)
      })
    },
    close: () => locks.close(),
  }
}

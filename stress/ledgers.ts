import { setTimeout as sleep } from 'node:timers/promises'

import { Limit } from '../index.js'
import { engines } from '../__test__/shared/engines.ts'

/** The thread that waits for ledgers ends after 1 s without a wait. */
const THREAD_ENDS = 1_500

/** The first wait for a ledger makes an inbox and a bell, which the process keeps. */
export async function waitForLedger(): Promise<void> {
  if (!engines.includes('ledger')) return
  using limit = Limit.create(`/os-ipc-stress-${process.pid}`, { permits: 0, engine: 'ledger' })
  try {
    await limit.acquire({ timeout: 1 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error
  } finally {
    limit.unlink()
  }
  await sleep(THREAD_ENDS)
}

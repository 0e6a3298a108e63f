import { EXIT } from '../core/exit.js'
import { sentence } from '../core/failure.js'
import { note } from '../core/output.js'
import type { Word } from '../core/words.js'
import { runChild } from './child.js'
import { checkProgram } from './program.js'
import type { HeldPermit, PermitSource } from './permits.js'
import { endOnUserSignal, ignoreSignals } from './signals.js'
import { Spawner } from './spawn-watched.js'

/** How long to wait, and what to say when that was in vain. */
export interface Patience {
  readonly timeout: number | undefined
  readonly waitCode: number | undefined
  readonly quiet: boolean
}

/** Runs a command while holding a permit, and answers its exit code. */
export async function runHolding(
  open: () => Promise<PermitSource>,
  label: string,
  { timeout, waitCode = EXIT.timeout, quiet }: Patience,
  command: readonly Word[],
): Promise<number> {
  checkProgram(command[0] ?? '')
  ignoreSignals()
  const spawner = new Spawner()
  const listenNoMore = endOnUserSignal()
  const source = await open()
  let permit: HeldPermit
  try {
    permit = await source.acquire({ timeout })
  } catch (error) {
    if (!timedOut(error)) throw error
    // What a program could do about it is not for a command line, but why Redis did not answer is.
    const { hint: advice, cause } = error as { hint?: string; cause?: unknown }
    if (!quiet) {
      const hint = cause === undefined ? source.whyNone?.() : advice
      note(sentence(`${label} was not to be had within ${(timeout ?? 0) / 1000} s`, hint))
    }
    await source.close()
    return waitCode
  } finally {
    listenNoMore()
  }
  try {
    return await runChild(spawner, command, permit.signal)
  } finally {
    await permit.release()
    await source.close()
  }
}

function timedOut(error: unknown): boolean {
  return (error as { code?: string }).code === 'ETIMEDOUT'
}

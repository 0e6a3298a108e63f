import { EXIT } from '../core/exit.js'
import { sentence } from '../core/failure.js'
import { note } from '../core/output.js'
import type { Word } from '../core/words.js'
import { become, mayBecome } from './become.js'
import type { HeldPermit, PermitSource } from './permits.js'
import { checkProgram } from './program.js'
import { restoreSignals } from './signals.js'

/** The time to wait, and the message for a timeout. */
export interface Patience {
  readonly timeout: number | undefined
  readonly waitCode: number | undefined
  readonly quiet: boolean
}

/** The options for running the command. */
export interface Manner extends Patience {
  /** Whether os-ipc stays beside the command even where it could become the command. */
  readonly supervise: boolean
}

/**
 * Runs a command while holding a permit. Where the kernel keeps the permit for the process itself, this process becomes the
 * command. Otherwise the command is a child, and this function returns its exit code.
 */
export async function runHolding(
  open: () => Promise<PermitSource>,
  label: string,
  { timeout, waitCode = EXIT.timeout, quiet, supervise: stays }: Manner,
  command: readonly Word[],
): Promise<number> {
  // The file that is found now is the one that starts: a file that comes into PATH during the wait changes nothing.
  const plan =
    process.platform === 'win32'
      ? (await import('./windows.js')).planOnWindows(command.map(String))
      : undefined
  if (plan === undefined) checkProgram(command[0] ?? '')
  const { native } = await import('../../lib/addon/native.js')
  restoreSignals(native)
  const source = await open()
  // A warning of the library comes with the next turn of the event loop, and there may be none when this process becomes the command.
  await new Promise(resolve => setImmediate(resolve))
  const becomes = !stays && source.outlivesExec === true && mayBecome()
  const supervise = becomes ? undefined : (await import('./child.js')).prepareChild(plan)
  let permit: HeldPermit
  try {
    permit = await source.acquire({ timeout })
  } catch (error) {
    if (!timedOut(error)) throw error
    // The hint for programs does not help on a command line, but the reason why Redis did not answer does.
    const { hint: advice, cause } = error as { hint?: string; cause?: unknown }
    if (!quiet) {
      const hint = cause === undefined ? source.whyNone?.() : advice
      note(sentence(`${label} was not free within ${(timeout ?? 0) / 1000} s`, hint))
    }
    await source.close()
    return waitCode
  }
  try {
    return supervise === undefined ? become(native, command, permit) : await supervise(command, permit.signal)
  } finally {
    await permit.release()
    await source.close()
  }
}

function timedOut(error: unknown): boolean {
  return (error as { code?: string }).code === 'ETIMEDOUT'
}

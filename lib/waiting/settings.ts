import { checked, wrongType } from '../errors.js'
import { native } from '../addon/native.js'

/** What a program decides for its whole process, workers included. */
export interface Settings {
  /**
   * Whether a wait may spin for a moment (0.05 ms at most) before its thread sleeps, where the last waits were short.
   *
   * True, unless the process was started with `OS_IPC_SPIN=0`. A spin makes a hand-over between processes several times as
   * fast. A spin that finds nothing costs up to 0.05 ms of processor time, which matters where many busy processes share few
   * processors.
   *
   * @throws {TypeError} When it is set to something that is no boolean.
   */
  spin: boolean
}

/**
 * What a program decides for its whole process.
 *
 * @example
 * ```ts
 * settings.spin = false
 * ```
 */
export const settings: Settings = Object.freeze({
  get spin() {
    return checked(native.spins())
  },
  set spin(allowed: boolean) {
    if (typeof allowed !== 'boolean') throw wrongType('settings.spin', 'a boolean', allowed)
    checked(native.setSpin(allowed))
  },
})

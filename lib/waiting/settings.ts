import { checked, wrongType } from '../errors.js'
import { native } from '../addon/native.js'

/** The settings of a whole process, workers included. */
export interface Settings {
  /**
   * Whether a wait may spin for a moment (0.05 ms at most) before its thread sleeps. It spins only if the last waits were
   * short.
   *
   * True, unless the process was started with `OS_IPC_SPIN=0`. Spinning makes a hand-over between processes several times
   * as fast. A failed spin costs up to 0.05 ms of processor time. This matters if many busy processes share few
   * processors.
   *
   * @throws {TypeError} When the value is not a boolean.
   */
  spin: boolean
}

/**
 * The settings of the whole process.
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

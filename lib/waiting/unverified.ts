import type { Handle } from './handle.js'

/** Warns that a new set has no room for its name; `lost` is what the object lacks besides. */
export function warnUnverified({ noun, label }: Handle, lost = ''): void {
  process.emitWarning(
    `the ${noun} ${label} does not carry its name: this host's limits (SEMMSL, SEMOPM of kernel.sem) are too small for it, or another program began to make it`,
    {
      code: 'OS_IPC_UNVERIFIED',
      detail: `Another name with the same key would share it without an error${lost}.`,
    },
  )
}

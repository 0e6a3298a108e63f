import { capabilities } from '../../index.js'

export type Engine = 'sysv' | 'ledger'

/** The engines that limits have on this host; one suite runs over them. */
export const engines: readonly Engine[] = capabilities.limits.engines

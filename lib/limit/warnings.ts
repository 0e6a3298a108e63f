/** Warns that the set of a new limit has no room for its record. */
export function warnUnverified(label: string): void {
  process.emitWarning(
    `the limit ${label} does not carry its name: this host's limits (SEMMSL, SEMOPM of kernel.sem) are too small for it, or another program began to make it`,
    {
      code: 'OS_IPC_UNVERIFIED',
      detail:
        'Another name with the same key would share it in silence; it has no recorded number of permits and no holders.',
    },
  )
}

/** Warns that an existing limit keeps its number of permits, although the call gave another one. */
export function warnDiffers(label: string, recorded: number, wanted: number): void {
  process.emitWarning(
    `the limit ${label} has ${recorded} permits and keeps them: openOrCreate asked for ${wanted}`,
    { code: 'OS_IPC_PERMITS_DIFFER', detail: `resize(${wanted}) changes it for all processes.` },
  )
}

/** Warns that an existing limit keeps its number of permits, although the call gave another one. */
export function warnDiffers(label: string, recorded: number, wanted: number): void {
  process.emitWarning(
    `the limit ${label} has ${recorded} permits and keeps them: openOrCreate asked for ${wanted}`,
    { code: 'OS_IPC_PERMITS_DIFFER', detail: `resize(${wanted}) changes it for all processes.` },
  )
}

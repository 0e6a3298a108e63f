/**
 * Whether every permit is watched, and not only those that were waited for: watching a permit costs more than taking and
 * releasing it.
 */
export const tracing = isTraced()

function isTraced(): boolean {
  try {
    return process.env['OS_IPC_TRACE'] === '1'
  } catch {
    return false // Deno without --allow-env.
  }
}

/** Warns of permits that were collected while they were held. */
const forgotten = new FinalizationRegistry<string>(label => {
  process.emitWarning(
    `a permit of the limit ${label} was never released, and no code can release it any more`,
    {
      code: 'OS_IPC_PERMIT_LOST',
      detail:
        'It stays held until this process ends. Take permits with `using`, or with use(), which releases them.',
    },
  )
})

/** Warns when the permit is collected, unless {@link unwatch} comes first. */
export function watch(permit: object, label: string): void {
  forgotten.register(permit, label, permit)
}

/** Stops watching a permit that was released. */
export function unwatch(permit: object): void {
  forgotten.unregister(permit)
}

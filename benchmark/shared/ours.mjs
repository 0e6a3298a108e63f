// The built package, in the folder above.

export const { Permit, Semaphore, SharedMemory } = await import('../../index.js')

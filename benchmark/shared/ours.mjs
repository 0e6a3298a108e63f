// The built package, in the folder above.

export const { Limit, Semaphore, SharedMemory } = await import('../../index.js')

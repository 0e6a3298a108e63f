// The built package, in the folder above.

export const { Channel, Limit, Semaphore, SharedMemory } = await import('../../index.js')

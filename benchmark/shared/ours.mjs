// This package as its users get it: what was built, in the folder above.

export const { Limit, Semaphore, SharedMemory } = await import('../../index.js')

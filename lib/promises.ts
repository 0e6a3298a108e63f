// The promises of the language. A program can replace the global `Promise`, by one that has less or whose promises are others.

const Own = (async () => {})().constructor as PromiseConstructor

export const withResolvers: <T>() => PromiseWithResolvers<T> = Own.withResolvers.bind(Own)
export const resolved: typeof Own.resolve = Own.resolve.bind(Own)
export const rejected: typeof Own.reject = Own.reject.bind(Own)

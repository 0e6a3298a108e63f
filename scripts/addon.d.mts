/** The profile in which the addon in this folder was built; undefined where it is not known. */
export function addonProfile(): 'release' | 'debug' | undefined

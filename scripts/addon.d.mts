/** Which profile the addon in this folder was built in; undefined where that is not known. */
export function addonProfile(): 'release' | 'debug' | undefined

// examples/next/next.config.mjs
export default { serverExternalPackages: ['os-ipc'] }

// Three workers under pm2, of which two convert at a time.
// npx pm2-runtime examples/pm2/ecosystem.config.cjs

module.exports = {
  apps: [
    {
      name: 'convert',
      script: 'worker.mjs',
      cwd: __dirname,
      // Separate processes. `cluster` works as well, because any process finds the limit by its name.
      exec_mode: 'fork',
      instances: 3,
      // pm2 sends SIGINT, and SIGKILL after this many milliseconds: the permit comes back in both cases.
      kill_timeout: 5_000,
      autorestart: false, // a worker of yours goes on for ever: true
    },
  ],
}

export { IpcError } from './lib/errors.js';
export { ftok } from './lib/ftok.js';
